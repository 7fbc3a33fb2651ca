# A NixOS of those options only that module.nix sets, evaluated with `configuration`: what would be
# configured, and the messages of assertions that do not hold.
{
  lib,
  configuration,
}:

let
  inherit (lib) mkOption types;
  value = type: default: mkOption { inherit type default; };
  tree = types.attrsOf types.anything;

  nixos = {
    options = {
      assertions = value (types.listOf types.anything) [ ];
      environment.systemPackages = value (types.listOf types.anything) [ ];
      environment.etc = value tree { };
      nix.enable = value types.bool true;
      nix.extraOptions = value types.str "";
      nix.settings = value (types.attrsOf types.str) { };
      systemd.tmpfiles.rules = value (types.listOf types.str) [ ];
      systemd.services = value tree { };
      systemd.sockets = value tree { };
      systemd.timers = value tree { };
      users = value tree { };
    };
  };

  toml =
    with types;
    oneOf [
      bool
      int
      str
      path
      (attrsOf toml)
      (listOf toml)
    ];

  # Derivations are what they were made of.
  pkgs = {
    formats.toml = _: {
      type = toml;
      generate = name: settings: "/generated/${name}";
    };
    runCommand = name: _: command: { inherit name command; };
    callPackage = path: _: {
      type = "derivation";
      name = "nar-scan";
      outPath = "/nix/store/00000000000000000000000000000000-nar-scan";
      meta.mainProgram = "nar-scan";
      inherit path;
    };
    stdenv = {
      hostPlatform = { };
      buildPlatform.canExecute = _: true;
    };
  };

  inherit
    (lib.evalModules {
      specialArgs = { inherit lib pkgs; };
      modules = [
        nixos
        ../../../module.nix
        configuration
      ];
    })
    config
    ;
in
{
  inherit (config)
    environment
    nix
    systemd
    users
    ;
  inherit (config.services.nar-scan) settings;
  cacheSettings = config.services.nar-scan-cache.settings;
  failures = map (found: found.message) (lib.filter (found: !found.assertion) config.assertions);
}
