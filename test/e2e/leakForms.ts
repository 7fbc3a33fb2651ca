/** Part of names that are too long for the header of a tar member. */
const LONG = 'a/very/long/path/'.repeat(9);

/**
 * What each fixture of `fixtures/leaks` must lead to, from its tree and from its NAR alike: every kind of
 * error that is found, and no other, each as
 *
 *     entry > member > member: rule carrier [field] [encoding] @offset [in section]
 *
 * Members are those of containers, from outside in. The offset is that of the first of its kind in the
 * innermost decoded bytes; an encoding is told unless it is plain. The number before each name is the
 * row of the table of leak forms; rows 28 and 29 need stores and lie in the test beside this.
 *
 * Offsets in what a compiler wrote change when the fixture is made by another one.
 */
export const LEAK_FORMS: Readonly<Record<string, readonly string[]>> = {
  '01-assert-path': ['bin/check: known-home bytes @8196 in .rodata'],
  '01-cargo-dependency': ['bin/ask: known-home bytes @2344 in .rodata'],
  '01-rust-panic-path': ['bin/third: known-home bytes @2448 in .rodata'],
  '02-elf-rpath': ['lib/libanswer.so: known-home rpath DT_RPATH @440 in .dynstr'],
  '02-elf-runpath': ['lib/libanswer.so: known-home runpath DT_RUNPATH @455 in .dynstr'],
  '02-elf-runpath-32bit': ['lib/libanswer.so: known-home runpath DT_RUNPATH @272 in .dynstr'],
  '03-dead-rpath-bytes': ['lib/libanswer.so: known-home bytes @440 in .dynstr'],
  '04-cmake-rpath': ['bin/app: known-home runpath DT_RUNPATH @589 in .dynstr'],
  '05-elf-audit': [
    'lib/libanswer.so: known-home audit DT_AUDIT @440 in .dynstr',
    'lib/libanswer.so: known-home audit DT_DEPAUDIT @466 in .dynstr',
  ],
  '05-elf-filter': [
    'lib/libanswer.so: known-home filter DT_AUXILIARY @467 in .dynstr',
    'lib/libanswer.so: known-home filter DT_FILTER @440 in .dynstr',
  ],
  '05-elf-interp': ['bin/ask: known-home interp PT_INTERP @456 in .interp'],
  '05-elf-needed': ['bin/ask: known-home needed DT_NEEDED @576 in .dynstr'],
  '05-elf-soname': ['lib/libanswer.so: known-home soname DT_SONAME @440 in .dynstr'],
  '05-shebang': ['bin/tool: known-home shebang #! @3'],
  '06-symlinks': [
    'bin/absolute: known-home symlink @0',
    'bin/climbing: known-home symlink @14',
    'bin/physical: known-home symlink @0',
  ],
  '07-compressed-debug': ['lib/answer.o > .debug_line_str: known-home bytes @0 in .debug_line_str'],
  '07-compressed-debug-32bit': ['lib/answer.o > .debug_line_str: known-home bytes @0 in .debug_line_str'],
  '07-compressed-debug-zstd': [
    'lib/answer.o > .debug_line_str: known-home bytes @0 in .debug_line_str',
    'lib/answer.o: known-home bytes @603 in .debug_line_str',
  ],
  '07-zdebug': ['lib/answer.o > .zdebug_line_str: known-home bytes @0 in .zdebug_line_str'],
  '08-lto-archive': [
    'lib/libcheck.a > check.o > .gnu.lto_.decls.3f48eca7: known-home bytes @1535 in .gnu.lto_.decls.3f48eca7',
    'lib/libcheck.a > check.o > .gnu.lto_.jmpfuncs.3f48eca7: known-home bytes @124 in .gnu.lto_.jmpfuncs.3f48eca7',
    'lib/libcheck.a > check.o > .gnu.lto_check.0.3f48eca7: known-home bytes @276 in .gnu.lto_check.0.3f48eca7',
    'lib/libcheck.a > check.o > .gnu.lto_check.part.0.3.3f48eca7: known-home bytes @341 in .gnu.lto_check.part.0.3.3f48eca7',
  ],
  '09-archive-member': [
    'lib/libcheck.a > check.o: known-home bytes @102 in .rodata.str1.1',
    'lib/libcheck.a > check_of_the_answer.o: known-home bytes @102 in .rodata.str1.1',
  ],
  '09-rlib': ['lib/libanswer.rlib > lib.rmeta: known-home rust-metadata @1964 in .rmeta'],
  '09-thin-archive': [
    'lib/libcheck.a > /home/noamyr/src/check.o: known-home entry-name',
    'lib/libcheck.a: known-home bytes @142',
  ],
  '10-dotnet': ['lib/answer.exe: known-home bytes utf16le @1082 in .text'],
  '10-pe-debug-directory': ['bin/answer.exe: known-home pdb PDB path @1616 in .rdata'],
  '10-qt-translation': ['share/answer_de.qm: known-home bytes utf16be @46'],
  '10-wide-strings': [
    'lib/libwide.so: known-home bytes utf16le @480 in .rodata',
    'lib/libwide.so: known-home bytes utf32le @544 in .rodata',
  ],
  '10-wide-text': [
    'share/answer.odd-utf-16le: known-home bytes utf16le @19',
    'share/answer.odd-utf-32le: known-home bytes utf32le @37',
    'share/answer.utf-16be: known-home bytes utf16be @18',
    'share/answer.utf-16le: known-home bytes utf16le @18',
    'share/answer.utf-32be: known-home bytes utf32be @36',
    'share/answer.utf-32le: known-home bytes utf32le @36',
  ],
  '11-python-cache': ['lib/__pycache__/answer.cpython-311.pyc: known-home python-code @110'],
  '11-python-direct-url': ['lib/answer-1.dist-info/direct_url.json: known-home python-config @36'],
  '11-wheel-with-cache': [
    'share/answer-1-py3-none-any.whl > answer/__init__.pyc: known-home python-code @110',
  ],
  '12-jar': ['share/answer.jar > answer/Answer.class: known-home java-class @144'],
  '12-jar-in-jar': [
    'share/app.jar > BOOT-INF/lib/answer.jar > answer/Answer.class: known-home java-class @144',
  ],
  '12-self-extracting': [
    'bin/adjusted > share/profile: known-home bytes @5',
    'bin/unpack > share/profile: known-home bytes @5',
  ],
  '12-wheel': [
    'share/answer-1-py3-none-any.whl > answer-1.data/scripts/answer: known-home bytes @29',
    'share/answer-1-py3-none-any.whl > answer-1.data/scripts/answer: known-home shebang #! @2',
  ],
  '12-zip': [
    'share/answer.zip > share/profile: known-home bytes @5',
    'share/answer.zip > share/stored.txt: known-home bytes @5',
  ],
  '12-zip-names': [
    'share/answer.zip > home/noamyr/.profile: known-home entry-name',
    'share/answer.zip > home/noamyr/: known-home entry-name',
    'share/answer.zip > link: known-home bytes @0',
    'share/answer.zip > link: known-home symlink @0',
  ],
  '12-zip-streamed': ['share/answer.zip > share/profile: known-home bytes @5'],
  '13-cpio': [
    'share/answer.cpio > home/noamyr/.profile: known-home entry-name',
    'share/answer.cpio > home/noamyr: known-home entry-name',
    'share/answer.cpio > link: known-home symlink @0',
    'share/answer.cpio > profile: known-home bytes @5',
    'share/answer.cpio: known-home bytes @500',
  ],
  '13-iso9660': [
    'share/answer.iso > home/noamyr/.profile: known-home entry-name',
    'share/answer.iso > home/noamyr: known-home entry-name',
    'share/answer.iso > link: known-home symlink @0',
    'share/answer.iso > profile.gz > profile: known-home bytes @5',
    'share/answer.iso > profile: known-home bytes @5',
  ],
  '13-iso9660-joliet': [
    'share/answer.iso > a-long-name.profile: known-home bytes @5',
    'share/answer.iso > home/noamyr/.profile: known-home entry-name',
    'share/answer.iso > home/noamyr: known-home entry-name',
  ],
  '13-rpm': [
    'share/answer.w3.zstdio.rpm > payload.cpio.zst > payload.cpio > ./usr/share/answer/link: known-home symlink @0',
    'share/answer.w3.zstdio.rpm > payload.cpio.zst > payload.cpio > ./usr/share/answer/profile: known-home bytes @5',
    'share/answer.w3.zstdio.rpm > payload.cpio.zst > payload.cpio: known-home bytes @268',
    'share/answer.w3.zstdio.rpm: known-home bytes @5528',
    'share/answer.w9.gzdio.rpm > payload.cpio.gz > payload.cpio > ./usr/share/answer/link: known-home symlink @0',
    'share/answer.w9.gzdio.rpm > payload.cpio.gz > payload.cpio > ./usr/share/answer/profile: known-home bytes @5',
    'share/answer.w9.gzdio.rpm > payload.cpio.gz > payload.cpio: known-home bytes @268',
    'share/answer.w9.gzdio.rpm: known-home bytes @5528',
  ],
  '13-tar': ['share/answer.tar > ./share/profile: known-home bytes @5'],
  '13-tar-in-zip': ['share/answer.zip > answer.tgz > answer.tar > share/profile: known-home bytes @5'],
  '13-tar-links': [
    'share/answer.tar > bin/answer: known-home symlink @0',
    'share/answer.tar > bin/hard: known-home entry-name',
    'share/answer.tar: known-home bytes @157',
  ],
  '13-tar-long-names-gnu': [
    `share/answer.tar > ${LONG}link: known-home symlink @0`,
    'share/answer.tar: known-home bytes @34304',
  ],
  '13-tar-long-names-pax': [
    `share/answer.tar > ${LONG}link: known-home symlink @0`,
    'share/answer.tar: known-home bytes @34317',
  ],
  '13-tar-names': [
    'share/answer.tar > home/noamyr/.profile: known-home entry-name',
    'share/answer.tar > home/noamyr/: known-home entry-name',
  ],
  '13-tarball': [
    'share/answer.tar.bz2 > answer.tar > share/profile: known-home bytes @5',
    'share/answer.tar.gz > answer.tar > share/profile: known-home bytes @5',
    'share/answer.tar.zst > answer.tar > share/profile: known-home bytes @5',
    'share/answer.tgz > answer.tar > share/profile: known-home bytes @5',
    'share/answer.txz > answer.tar > share/profile: known-home bytes @5',
  ],
  '14-frames-lz4': ['share/answer.log.lz4 > answer.log: known-home bytes @60'],
  '14-frames-zst': ['share/answer.log.zst > answer.log: known-home bytes @60'],
  '14-man-page-Z': ['share/man/man1/answer.1.Z > answer.1: known-home bytes @47'],
  '14-man-page-br': ['share/man/man1/answer.1.br > answer.1: known-home bytes @47'],
  '14-man-page-bz2': ['share/man/man1/answer.1.bz2 > answer.1: known-home bytes @47'],
  '14-man-page-gz': ['share/man/man1/answer.1.gz > answer.1: known-home bytes @47'],
  '14-man-page-lz': ['share/man/man1/answer.1.lz > answer.1: known-home bytes @47'],
  '14-man-page-lz4': ['share/man/man1/answer.1.lz4 > answer.1: known-home bytes @47'],
  '14-man-page-lzma': ['share/man/man1/answer.1.lzma > answer.1: known-home bytes @47'],
  '14-man-page-xz': ['share/man/man1/answer.1.xz > answer.1: known-home bytes @47'],
  '14-man-page-zst': ['share/man/man1/answer.1.zst > answer.1: known-home bytes @47'],
  '14-members-gz': ['share/answer.log.gz > answer.log: known-home bytes @60'],
  '14-members-lz': ['share/answer.log.lz > answer.log: known-home bytes @60'],
  '14-nested': [
    'share/man/man1/answer.1.gz.xz.zst > answer.1.gz.xz > answer.1.gz > answer.1: known-home bytes @47',
  ],
  '14-no-ending': [
    'share/bzip2 > bzip2: known-home bytes @47',
    'share/gzip > gzip: known-home bytes @47',
    'share/lz4 > lz4: known-home bytes @47',
    'share/lzip > lzip: known-home bytes @47',
    'share/xz > xz: known-home bytes @47',
    'share/zstd > zstd: known-home bytes @47',
  ],
  '14-streams-bz2': ['share/answer.log.bz2 > answer.log: known-home bytes @60'],
  '14-streams-xz': ['share/answer.log.xz > answer.log: known-home bytes @60'],
  '14-svgz': ['share/answer.svgz > answer.svg: known-home bytes @66'],
  '15-git-objects': [
    'share/source.git/objects/4b/4818ff8ae99afb1aef30d5e8d07e5045584f6c > zlib@0: known-home bytes @163',
    'share/source.git/objects/b6/737bf70f2901102c7f884f9eb16493b1d7c061 > zlib@0: known-home bytes @7',
  ],
  '15-pdf': ['share/answer.pdf > zlib@345: known-home bytes @24'],
  '15-r-lazy-data': [
    'R/answer1.rdb > zlib@103: known-home bytes @48',
    'R/answer2.rdb > bzip2@139: known-home bytes @48',
    'R/answer3.rdb > lzma2@107: known-home bytes @48',
  ],
  '15-sphinx-inventory': ['share/doc/objects.inv > zlib@114: known-home bytes @155'],
  '16-base64-at-the-edges': [
    'share/begin: known-home bytes base64 @0',
    'share/end: known-home bytes base64 @2',
    'share/whole: known-home bytes base64 @0',
  ],
  '16-base64url': [
    'share/0.token: known-home bytes base64url @28',
    'share/1.token: known-home bytes base64url @29',
    'share/2.token: known-home bytes base64url @30',
  ],
  '16-source-map-base64': [
    'share/app.0.js: known-home bytes base64 @93',
    'share/app.1.js: known-home bytes base64 @94',
    'share/app.2.js: known-home bytes base64 @96',
  ],
  '17-double-backslash': [
    'share/settings.h: known-home bytes double-backslash @16',
    'share/settings.json: known-home bytes double-backslash @9',
  ],
  '17-hex': ['share/lower.hex: known-home bytes hex @10', 'share/upper.hex: known-home bytes hex @10'],
  '17-hex-escape': [
    'share/lower.js: known-home bytes hex-escape @6',
    'share/upper.js: known-home bytes hex-escape @6',
  ],
  '17-html-entity': [
    'share/decimal.html: known-home bytes html-entity @10',
    'share/lower.html: known-home bytes html-entity @10',
    'share/upper.html: known-home bytes html-entity @10',
  ],
  '17-json-slash': ['share/composer.json: known-home bytes json-slash @9'],
  '17-percent': [
    'share/every.url: known-home bytes percent @19',
    'share/lower.url: known-home bytes percent @19',
    'share/mixed.url: known-home bytes percent @19',
    'share/upper.url: known-home bytes percent @19',
  ],
  '17-unicode-escape': [
    'share/lower.json: known-home bytes unicode-escape @9',
    'share/upper.json: known-home bytes unicode-escape @9',
  ],
  '18-build-files': [
    'bin/answer-config: known-home config-script @18',
    'lib/cmake/answer/answerTargets.cmake: known-home cmake @68',
    'lib/libanswer.la: known-home libtool @84',
    'lib/pkgconfig/answer.pc: known-home pkg-config @7',
  ],
  '18-cmake-targets': ['lib/cmake/answer/answerTargets.cmake: known-home cmake @2394'],
  '18-libtool': ['lib/libanswer.la: known-home libtool @532'],
  '18-perl-packlist': ['lib/auto/Answer/.packlist: known-home packlist @0'],
  '18-python-sysconfig': [
    'lib/python3.11/_sysconfigdata__linux_x86_64-linux-gnu.py: known-home python-config @134',
  ],
  '18-ruby-config': ['lib/ruby/rbconfig.rb: known-home ruby-config @52'],
  '19-entry-names': ['home/noamyr: known-home entry-name'],
  '19-entry-names-foreign': ['home/alice: foreign-home entry-name'],
  '20-go-program': [
    'bin/answer: known-home bytes @198528 in .gopclntab',
    'bin/answer: known-home bytes @65287 in .rodata',
  ],
  '20-packed-strings': ['share/strings: known-home bytes @16'],
  '21-macho': [
    'lib/libanswer.dylib: known-home macho-dylib LC_ID_DYLIB @56',
    'lib/libanswer.dylib: known-home macho-dylib LC_LOAD_DYLIB @176',
    'lib/libanswer.dylib: known-home macho-rpath LC_RPATH @220',
  ],
  '21-macho-debug-map': ['lib/libanswer.dylib: known-home bytes @8322'],
  '21-macho-fat': [
    'lib/libanswer.dylib: known-home macho-dylib LC_ID_DYLIB @8248',
    'lib/libanswer.dylib: known-home macho-dylib LC_LOAD_DYLIB @8368',
    'lib/libanswer.dylib: known-home macho-rpath LC_RPATH @8412',
  ],
  '22-source-map': [
    'share/app.js.map: known-home source-map @25',
    'share/climb.js.map: known-home source-map @36',
  ],
  '23-store-alias': [
    'bin/alias: known-home symlink @0',
    'bin/tool: known-home shebang #! @2',
    'share/tool.conf: known-home bytes @7',
  ],
  '23-store-alias-programs': [
    'share/linked.conf: known-home bytes @7',
    'share/static.conf: known-home bytes @7',
  ],
  '23-store-alias-text': ['share/prefix: known-home bytes @7', 'share/project: store-alias bytes @7'],
  '24-coverage-notes': ['lib/answer.gcno: known-home gcov-notes @65'],
  '25-aliases-of-homes': [
    'share/bsd: known-home bytes @5',
    'share/mac: known-home bytes @5',
    'share/macos: known-home bytes @5',
    'share/ostree: known-home bytes @5',
    'share/solaris: known-home bytes @5',
    'share/windows: known-home bytes @5',
    'share/wsl: known-home bytes @5',
  ],
  '26-appimage': [
    'answer.AppImage > squashfs@632 > AppRun: known-home bytes @20',
    'answer.AppImage > squashfs@632 > usr/answer: known-home symlink @0',
  ],
  '26-initrd': ['initrd > gzip@3072 > etc/profile: known-home bytes @5'],
  '26-kernel-image': ['bzImage > zstd@1088: known-home bytes @20'],
  '26-pyinstaller': [
    'bin/answer > PYZ-00.pyz > zlib@39: known-home bytes @20',
    'bin/answer > answer: known-home bytes @20',
  ],
  '26-streams-behind-code': [
    'lib/bzip2.bin > bzip2@1000: known-home bytes @20',
    'lib/gzip.bin > gzip@1000: known-home bytes @20',
    'lib/lz4.bin > lz4@1000: known-home bytes @20',
    'lib/xz.bin > xz@1000: known-home bytes @20',
    'lib/zstd.bin > zstd@1000: known-home bytes @20',
  ],
  '27-beam-chunks': [
    'ebin/answer.beam > zlib@260: known-home bytes @17',
    'ebin/answer.beam > zlib@474: known-home bytes @269',
  ],
  '27-beam-compressed': [
    'ebin/answer.beam > gzip > zlib@256: known-home bytes @14',
    'ebin/answer.beam > gzip: known-home bytes @471',
  ],
  '27-ocaml-cmt': ['lib/answer.cmt: known-home bytes @2009'],
  '27-ocaml-cmt-compressed': ['lib/answer.cmt > zstd@23: known-home bytes @20'],
  '27-png-text': [
    'share/itxt.png > zlib@53: known-home bytes @9',
    'share/ztxt.png > zlib@50: known-home bytes @9',
  ],
};

/** Fixtures of what is recognised and not opened: `entry reason` of each gap, and no finding. */
export const UNOPENED_FORMS: Readonly<Record<string, readonly string[]>> = {
  '26-appimage-lzo': ['answer.AppImage unsupported'],
};
