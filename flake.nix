{
  description = "Build-output purity scanner for Nix";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;

      # Those of them that this nixpkgs still builds for.
      systems = lib.intersectLists lib.systems.flakeExposed [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forEachSystem = lib.genAttrs systems;

      # A whole system with everything on: its assertions hold, and its policy passes the check.
      machineOf =
        system:
        lib.nixosSystem {
          modules = [
            self.nixosModules.default
            {
              nixpkgs.hostPlatform = system;
              boot.isContainer = true;
              system.stateVersion = lib.trivial.release;
              services.nar-scan = {
                enable = true;
                guard.enable = true;
                scan.enable = true;
              };
            }
          ];
        };
    in
    {
      packages = forEachSystem (system: {
        default = nixpkgs.legacyPackages.${system}.callPackage ./package.nix { };
      });

      # By its path, so that a system that has it from two places has it once.
      nixosModules.default = {
        imports = [ ./module.nix ];
      };

      checks = forEachSystem (
        system:
        {
          package = self.packages.${system}.default;
        }
        // lib.optionalAttrs (lib.hasSuffix "-linux" system) {
          machine = (machineOf system).config.system.build.toplevel;
        }
      );
    };
}
