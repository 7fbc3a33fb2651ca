{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib)
    getExe
    mkDefault
    mkEnableOption
    mkIf
    mkMerge
    mkOption
    optionalAttrs
    types
    ;

  cfg = config.services.nar-scan;
  format = pkgs.formats.toml { };
  stateDir = "/var/lib/nar-scan";
  hook = "${cfg.package}/bin/nar-scan-post-build-hook";

  # A policy with a fault stops every build that the hook looks at; so it stops the rebuild instead.
  # Where it is built for a machine of another kind, the program cannot run here, and says so there.
  checks = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;
  policyOf =
    name: settings: files:
    let
      generated = format.generate "${name}-settings.toml" settings;
    in
    pkgs.runCommand "${name}-config.toml" { } ''
      cat ${lib.concatMapStringsSep " " (file: "${file}") ([ generated ] ++ files)} > $out
      ${lib.optionalString checks "${getExe cfg.package} policy check $out"}
    '';
  policy = policyOf "nar-scan" cfg.settings cfg.policyFiles;

  cache = config.services.nar-scan-cache;
  cacheState = "/var/lib/nar-scan-cache";
  cachePolicy = "nar-scan-cache/config.toml";
  # A word of a command line of systemd.
  word = text: builtins.toJSON (builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] text);
  cacheWords = [
    "${getExe cfg.package} serve --tokens=%d/tokens"
  ]
  ++ map word (
    [
      "--state=${cacheState}"
      "--storage=${cache.storage}"
      "--policy=/etc/${cachePolicy}"
    ]
    ++ cache.extraFlags
  )
  ++ lib.optional (cache.signKeyFile != null) "--sign-key=%d/sign-key";

  # What the scan of the whole store may do: read, and write its own state. It runs as root, because the
  # state of the machine is root's, but without any of root's capabilities.
  hardening = {
    CapabilityBoundingSet = "";
    AmbientCapabilities = "";
    NoNewPrivileges = true;
    # Everything is read-only but StateDirectory and CacheDirectory. Homes must be seen: which users
    # there are and where their homes and the store really lie decides what is searched for.
    ProtectSystem = "strict";
    ProtectHome = "read-only";
    PrivateTmp = true;
    PrivateDevices = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "invisible";
    # Users may be listed by a service behind a socket of its own.
    PrivateNetwork = true;
    IPAddressDeny = "any";
    RestrictAddressFamilies = "AF_UNIX";
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    LockPersonality = true;
    KeyringMode = "private";
    SystemCallArchitectures = "native";
    SystemCallFilter = [
      "@system-service"
      "~@privileged @resources"
    ];
    SystemCallErrorNumber = "EPERM";
    UMask = "0077";
    # MemoryDenyWriteExecute must stay off: V8 and WebAssembly compile into memory that they then run.
  };
in
{
  options.services.nar-scan = {
    enable = mkEnableOption "nar-scan, which finds home directories that leaked into build outputs";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The nar-scan that is used.";
    };

    settings = mkOption {
      inherit (format) type;
      default = { };
      example = {
        homes = [ "/srv/people/alice" ];
        rules.root-home = "note";
        quarantine.size = "50G";
      };
      description = ''
        The policy, {file}`/etc/nar-scan/config.toml`: see "Policy" in the README.
        It is checked when the system is built.
      '';
    };

    policyFiles = mkOption {
      type = types.listOf types.path;
      default = [ ];
      example = lib.literalExpression "[ ./waivers.toml ]";
      description = ''
        Files in TOML that are appended to the settings, such as the waivers that
        {command}`nar-scan --update-baseline FILE` writes. Each must begin with the header of a table.
        (The settings may hold waivers, too: `expires = "2030-01-01"` as text is a date there.)
      '';
    };

    guard = {
      enable = mkEnableOption "the guard: every build's outputs are scanned by Nix's post-build hook";

      mode = mkOption {
        type = types.enum [
          "enforce"
          "quarantine"
          "report"
        ];
        default = "enforce";
        description = "What a contaminated output does: fail the build, be withheld, or be reported only.";
      };

      next = mkOption {
        type = types.listOf (types.either types.str types.path);
        default = [ ];
        example = [ "/etc/nix/upload-hook" ];
        description = ''
          The hook that follows: a program by its absolute path, and its arguments. It gets in `OUT_PATHS`
          only the outputs that may leave this machine.
        '';
      };
    };

    scan = {
      enable = mkEnableOption "regular scans of the whole Nix store";

      startAt = mkOption {
        type = types.str;
        default = "weekly";
        example = "Sun 03:00";
        description = "When to scan, as in {manpage}`systemd.time(7)`. What is known already is not read again.";
      };
    };
  };

  options.services.nar-scan-cache = {
    enable = mkEnableOption "a binary cache that lets nothing in that nar-scan finds contaminated";

    listen = mkOption {
      type = types.str;
      default = "127.0.0.1:8080";
      description = "Where it listens, as `ListenStream` in {manpage}`systemd.socket(5)`. TLS is the business of a proxy.";
    };

    storage = mkOption {
      type = types.str;
      default = "file://${cacheState}/storage";
      description = "Where admitted outputs lie: a directory that its user may write to, or an HTTP cache that takes uploads from it alone.";
    };

    tokensFile = mkOption {
      type = types.str;
      example = "/run/secrets/nar-scan-tokens.toml";
      description = ''
        Who may do what: the entries that {command}`nar-scan token new` prints. It is read when the service starts;
        restarting it loses no request.
      '';
    };

    signKeyFile = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The secret key that signs what a trusted key has signed, as {command}`nix-store --generate-binary-cache-key` writes it.";
    };

    settings = mkOption {
      inherit (format) type;
      default = { };
      example = {
        homes = [ "/home/ci" ];
        admission.trusted_keys = [ "builder-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" ];
        admission.public_url = "https://cache.example.org";
      };
      description = "Its policy: see \"Policy\" and \"A cache server\" in the README. It is checked when the system is built.";
    };

    extraFlags = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "--scans=4" ];
      description = "Further options of {command}`nar-scan serve`.";
    };
  };

  config = mkMerge [
    (mkIf cache.enable {
      users.users.nar-scan-cache = {
        isSystemUser = true;
        group = "nar-scan-cache";
      };
      users.groups.nar-scan-cache = { };

      environment.etc.${cachePolicy}.source = policyOf "nar-scan-cache" cache.settings [ ];

      # The socket stays open while the service is restarted.
      systemd.sockets.nar-scan-cache = {
        description = "Socket of the nar-scan cache server";
        wantedBy = [ "sockets.target" ];
        listenStreams = [ cache.listen ];
      };

      systemd.services.nar-scan-cache = {
        description = "Binary cache that lets nothing contaminated in";
        documentation = [ "man:nar-scan(1)" ];
        requires = [ "nar-scan-cache.socket" ];
        after = [ "network.target" ];
        restartTriggers = [ config.environment.etc.${cachePolicy}.source ];
        serviceConfig =
          removeAttrs hardening [
            "PrivateNetwork"
            "IPAddressDeny"
          ]
          // {
            Type = "exec";
            User = "nar-scan-cache";
            Group = "nar-scan-cache";
            ExecStart = builtins.concatStringsSep " " cacheWords;
            LoadCredential = [
              "tokens:${cache.tokensFile}"
            ]
            ++ lib.optional (cache.signKeyFile != null) "sign-key:${cache.signKeyFile}";
            StateDirectory = "nar-scan-cache";
            StateDirectoryMode = "0700";
            # Uploads get half a minute to end; then they are told that they did not.
            TimeoutStopSec = 60;
            Restart = "on-failure";
            RestartSec = 5;
            LimitNOFILE = 65536;
            # A storage behind HTTP, and whoever is told of events.
            RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
          };
      };
    })

    (mkIf cfg.enable (mkMerge [
      {
        environment.systemPackages = [ cfg.package ];
        environment.etc."nar-scan/config.toml".source = policy;

        # Made before the first build, so that nobody else can make it; compiled code that was not used
        # for a month belongs to a version that is gone.
        systemd.tmpfiles.rules = [
          "d ${stateDir} 0700 root root -"
          "d /var/cache/nar-scan 0700 root root -"
          "d /var/cache/nar-scan/compiled 0700 root root 30d"
        ];
      }

      (mkIf cfg.guard.enable {
        services.nar-scan.settings.guard = {
          mode = mkDefault cfg.guard.mode;
        }
        // optionalAttrs (cfg.guard.next != [ ]) { "then" = mkDefault cfg.guard.next; };

        # A default, so that another hook reaches the assertion, which says what to do.
        nix.settings.post-build-hook = mkDefault hook;

        assertions = [
          {
            assertion = config.nix.enable;
            message = "services.nar-scan.guard is a hook of Nix, and nix.enable is false.";
          }
          {
            assertion = config.nix.settings.post-build-hook or null == hook;
            message =
              "nix.settings.post-build-hook is set already (${toString config.nix.settings.post-build-hook or ""}) "
              + "and Nix has only one: take it out and name it in services.nar-scan.guard.next, "
              + "so that it gets what nar-scan lets through.";
          }
          {
            assertion = !(lib.hasInfix "post-build-hook" config.nix.extraOptions);
            message =
              "nix.extraOptions sets post-build-hook, which would take the place of nar-scan's: "
              + "take it out and name the hook in services.nar-scan.guard.next.";
          }
        ];
      })

      (mkIf cfg.scan.enable {
        systemd.services.nar-scan = {
          description = "Scan of the Nix store for leaked home directories";
          documentation = [ "man:nar-scan(1)" ];
          serviceConfig = hardening // {
            Type = "oneshot";
            # Contaminated (1), an error (2) and incomplete (3) are failures of the unit, for OnFailure.
            ExecStart = "${getExe cfg.package} scan --all --quiet";
            StateDirectory = "nar-scan";
            StateDirectoryMode = "0700";
            CacheDirectory = "nar-scan";
            CacheDirectoryMode = "0700";
            Nice = 19;
            IOSchedulingClass = "idle";
            CPUSchedulingPolicy = "batch";
          };
        };

        systemd.timers.nar-scan = {
          description = "Regular scan of the Nix store for leaked home directories";
          wantedBy = [ "timers.target" ];
          timerConfig = {
            OnCalendar = cfg.scan.startAt;
            Persistent = true;
            RandomizedDelaySec = "1h";
          };
        };
      })
    ]))
  ];
}
