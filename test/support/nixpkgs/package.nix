# What package.nix asks of nixpkgs: the arguments of buildNpmPackage, as they are.
{ lib, node }:

import ../../../package.nix {
  inherit lib;
  buildNpmPackage = arguments: arguments;
  importNpmLock = {
    npmConfigHook = "importNpmLock.npmConfigHook";
    __functor = _: arguments: arguments;
  };
  # what is made of it, as it is
  runCommand = name: arguments: command: arguments // { inherit name command; };
  cacert = "/cacert";
  installShellFiles = "installShellFiles";
  makeBinaryWrapper = "makeBinaryWrapper";
  nodejs_24 = {
    type = "derivation";
    outPath = node;
    meta.mainProgram = "node";
  };
}
