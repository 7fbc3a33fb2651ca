# What flake.nix, module.nix and package.nix use of nixpkgs' library, so that they can be evaluated
# where there is no nixpkgs.

let
  inherit (builtins)
    attrNames
    concatStringsSep
    elem
    elemAt
    filter
    fromJSON
    isString
    length
    listToAttrs
    readFile
    replaceStrings
    stringLength
    substring
    ;

  lib = import ./modules.nix // {
    inherit (builtins) attrNames elem filter mapAttrs;

    last = list: elemAt list (length list - 1);
    intersectLists = list: filter (item: elem item list);
    filterAttrs =
      keeps: attributes:
      removeAttrs attributes (filter (name: !keeps name attributes.${name}) (attrNames attributes));
    genAttrs =
      names: make:
      listToAttrs (
        map (name: {
          inherit name;
          value = make name;
        }) names
      );
    optional = condition: item: if condition then [ item ] else [ ];
    optionalAttrs = condition: attributes: if condition then attributes else { };

    concatMapStringsSep = separator: text: list: concatStringsSep separator (map text list);
    optionalString = condition: text: if condition then text else "";
    hasInfix = part: text: replaceStrings [ part ] [ "" ] text != text;
    hasSuffix =
      end: text: substring (stringLength text - stringLength end) (stringLength end) text == end;
    splitString = separator: text: filter isString (builtins.split separator text);
    escapeShellArg = word: "'${toString word}'";
    escapeShellArgs = words: concatStringsSep " " (map lib.escapeShellArg words);
    fetchers.proxyImpureEnvVars = [ "https_proxy" ];
    importJSON = path: fromJSON (readFile path);

    literalExpression = text: text;
    getExe = package: "${package}/bin/${package.meta.mainProgram}";
    fileset = {
      unions = paths: paths;
      toSource = { root, fileset }: {
        outPath = toString root;
        inherit fileset;
      };
    };
    licenses = lib.genAttrs [ "mit" "lgpl3Only" ] (name: name);
    sourceTypes = lib.genAttrs [ "fromSource" "binaryNativeCode" "binaryBytecode" ] (name: name);
    platforms = rec {
      linux = [ "x86_64-linux" "aarch64-linux" "riscv64-linux" ];
      darwin = [ "x86_64-darwin" "aarch64-darwin" ];
      x86_64 = [ "x86_64-linux" "x86_64-darwin" ];
      aarch64 = [ "aarch64-linux" "aarch64-darwin" ];
    };
    systems.flakeExposed = lib.platforms.linux ++ lib.platforms.darwin;
    trivial.release = "26.05";
  };
in
lib
