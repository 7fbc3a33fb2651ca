/** Names of programs are written as they are typed. */
const PROGRAM = /^(?:nar-scan|nix(?:-[a-z]+)*)(?![\w-])/;

/** The beginning of a sentence: with a capital, but where it is the name of a program. */
export function capital(text: string): string {
  return PROGRAM.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
