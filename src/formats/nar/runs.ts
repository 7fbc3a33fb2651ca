/**
 * Tags of a NAR that stand in a row without a choice among them, from one bound of its grammar to the
 * next. The reader compares with them, the writer writes them. (Nix: src/libutil/archive.cc.)
 */
export const RUNS = Object.freeze({
  magic: ['nix-archive-1'],
  entryHead: ['entry', '(', 'name'],
  nodeHead: ['node', '(', 'type'],
  plainFile: ['regular', 'contents'],
  executableFile: ['regular', 'executable', '', 'contents'],
  link: ['symlink', 'target'],
  entryTail: [')', ')'],
} as const);
