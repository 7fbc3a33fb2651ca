# Stands in for nixpkgs where flake.nix is evaluated: packages and machines are what they would be made of.
{
  outputs =
    _:
    let
      lib = import ./lib.nix;
      packagesOf = system: {
        callPackage = path: _: {
          type = "derivation";
          name = "nar-scan-${system}";
          path = toString path;
        };
      };
    in
    {
      legacyPackages = lib.genAttrs lib.systems.flakeExposed packagesOf;
      lib = lib // {
        nixosSystem =
          { modules }:
          {
            config.system.build.toplevel = {
              type = "derivation";
              name = "machine";
              inherit modules;
            };
          };
      };
    };
}
