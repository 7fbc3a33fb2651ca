import { once } from '../model/once.ts';

// How rare bytes are in what is usually scanned: in a large x86-64 library, in text (HTML, Python,
// Perl, C headers) and, with less weight, in a list of every path of a Debian system. Written as
// -log2 of the share times a scale, rounded, one digit of base 36 a byte value.

const SINGLE =
  '6eggghhkghcmllhghlmmllnnjnmlknmk8lgielngghjmgdc9fegfgifhghhjghgnjfiiggjkcgnlfiijinihhkkklnmjjjmc' +
  'jaebc9edcbjgbcaackaa9cfgfdklklnnjlohhjnomeoflhnnlqppmppqnpqpoqpplqqpoqqqnpopoqqpmpqompnomnmpmomo' +
  'jjllmmljmmopopoolnmoppoomoonppnllnnooonnhknknnmmlonnpolllnmmmjif';

/** ASCII bytes 1 to 6 behind a slash, as shares of all places: paths have a rhythm of their own. */
const AFTER_SLASH = [
  'moprrsotsrputturtuuuvuusuuvttvqvktoqqquoropuqrjhollklnoooosprrjt' +
    'soronqqonpmsoprppvoporrmqrurosoktglfhkkhjknphkgmhsighjklltqttuuv',
  'kqpqqrpvtojvuvtstuuwwtwvvwvuvtuukrrtstupqprrpoknmmmmmmmnlnrporgs' +
    'uqspqqsuoovursrrovpqpsusuwwqpttlsimljhnijfspkljegrijiinlnkrsttvt',
  'kpqqsqustljvuvvrutuwvuxwuvwvtxuujuqsqusprqqqomkmmkmmnnlmmmoqhshs' +
    'tospprqspqvsqrrrpuqqpttssvvrqstptgiifjmlnhqpigjhjshigkjlnksqrttw',
  'lprsqtuuqohutturstttutwuuuwvvvwsjtpsousnqpqronkflkmmnmmnnmprirkr' +
    'sqsqqqtunqvtpqqstssrpmvttvwrqtulujkklellgkqnhhhkmsjigmlmmlsrqtvw',
  'kqrrrtttrokwuttrsvvvqtwvuwwuuwuvjuppptuoqmrrnkkfnlmmnnmnnnpqhsgs' +
    'sqsqrqsqpqmuprstrvrlrttstvvsqrvksjmjkglkhhiphkjjjsiiihoonnrsstww',
  'lprrqsutonjutttrsvvwvvwvuwvuvtvuhtpoptqoljqtmniinlllkmmlmnooitlt' +
    'sqsrppttoqwuqsstrwsqqtumrwwsqqumrihhiimkihoqhkhihrjghhknmkqsstvt',
];

/** The same before a slash. */
const BEFORE_SLASH = [
  'mqssqstsurivtuvvtuvvtuvvtuvsrvuujsknouuorpprssohnlmnmomlnphrdsnt' +
    'ttsrrrtutrvsrssuqvrmruvvtutsrssmrmiklgpklnulhhlnksjggkkpnmqurrru',
  'lqqspquusqjvttwqrtwuvuwwtvwvvttwjtknrtwkpkqqqqinlknoopmpnohnsqgs' +
    'sqsppopqpousnoqrpuqoomttqruspqslqkmihhnlmhinijhgkqhgikoomlnstpot',
  'kqpsrrttsqnvvsvrtvvwwuwwuwwvtwvwjrktqsvomnqrqmjmmlnmpppqqopoonis' +
    'uprppprppouspppooupoorqmrutsposotglhjgnjliooiiifgtighhmplkqttrpv',
  'kqrrrstutqnuvuwttvvuvuwwuuwvuwtuitlsptsopnrrqjhfmknloonooopplnls' +
    'unrpoprrnotsopppnxpppptrrttrpqsoshmjgilmiionjigjguhjfknookqssqsv',
  'kqrrrrturqksuvvssuvvuvwwuuvwuwuuisksqurnpnrronifolonooomnqprimkt' +
    'tpqpppqropsrpqpqpvpooqsqrusrqrsmrjhjjhlmijnkjligjqihfjnnkmprrqrw',
  'kqprpqsusriuvwwttuuwtvwxuwwwttuuitknpusoopqsomiinlmkooopopqqkljs' +
    'tospqnrroovsoqqqpuqkprrsssvrqrrmrilgjhllhjnnjkhikphgghmommnrssrt',
];

/**
 * What stands together: the bytes around one place are mostly of one kind of data. Six kinds that tell the
 * most about four bytes in a row, found by expectation maximisation over the libraries and programs of a
 * Debian system and as much text (headers, scripts, JSON, documentation): how much there is of each kind,
 * and how rare a byte is in it, scale 2. Roughly zeros and tables, words, capitals, punctuation, machine
 * code twice.
 */
const DIGITS_OF_KINDS: readonly (readonly [share: number, digits: string])[] = [
  [
    0.222,
    '1ceffhhhfjjjijlhgjeljmmmjmlllnmhhllmjlnmjmnnlmmmijnnmnnokonnlmmmhjlmimnmflonkmnnknnnnmnnloonmnon' +
      'jknnklknhlmnmnmmkommllnpmnnnonpohmnmhkonlnomnoonjoonnnoplooonopoknnnnpoploponpookoppnpookljonnjk' +
      'jopnnonmmpopnoppkoopoopplqoonpqqlpqpopqpiipnopqqlppnnqopmppqnpok',
  ],
  [
    0.369,
    'gzzzzzzzzkdzzzzxzzzzzzzzzzzzzzzz7ogjhlpfegkpegdgokkmmpnpnreiihimkjkhjiikmiomijjkipjhhlllppnkmmvc' +
      'k9daa7bcb8jfab88bj898beefdjkmluzzzzzzzzzzzzzzzzzzzzzzxzzzyzzzzzzzxzzyzzzzzzzzzzzzzzzzzzzzzzzzzzz' +
      'zzzuzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzyzzzzzzzzzzzzzzzzzzzzzzzzzzz',
  ],
  [
    0.077,
    'fzqzzzrzzbbrzwkzzzxxzzzuzzzzzxuz7vhljmqghhjjcceiabbdeeefeeeiijgnm8dab9cdd9jfbcaabiaa9beefehgeeh9' +
      'piiijgilmkookokjmpkkihjoenokmkzwwxwzzzzzzlzozqzzpzxzzywzzzwxxzzyzzwzzzxzvrzxzzzvzzxxzyzzzvzwzzvz' +
      'rzyjxvzzzqzzzwuxzzvxzrusvzwzzzzzyzzzvvzzzqvzztyzuzzzzsrwzzuzzrzz',
  ],
  [
    0.105,
    'pzwzzzzwye7zzztzzzzzyyzzzzrzzzzz2jccgiicfbbhchecfghjkllolpeckbeikmpkmmmnqlspnolnmvmkjnrnnprigfnj' +
      'ijkhfehiigoljjgkjnfdfkmlijqdgdmzvvuzwzxzzzzzzzzyyzzzyzwzwzyyzzzzzvyvvzzzznwzzzzzyxxzwyzzzyxzwzzz' +
      'zznyzyzzzzzzzzzzszzzzzzxxxzzzzzzzzszzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
  ],
  [
    0.108,
    '9dghhgiigikkjjn9hijkjjkkiikkjkjchjklifkkiijljkfjidklkjlkigkkjjkjgemkfflk9fkldglkikkhkikkjkkhihjj' +
      'ikkjkkcljkkkjkjhiljjdfkkikllkkkifijecbkjjakelgkkfklkiillkkkkkkkkikkjjkkkjkikkkkijkkkkjgjhjhjjjhi' +
      'bgheihhhhgijijjjghgijjjjgiigjiifgihjhjihbcifjghfhighihfggggffec5',
  ],
  [
    0.119,
    '7bcecdfgbifgfgbdchkjggkkdlkkhjmkdjjl9hlkeglhjknkehljiglmffkihflkecdfbfhg7diibgjjfkkhfhkjhlmihjll' +
      'hllifkilillkikmjhmkiegkjhlmifihifikbfghkg9m9hbijimllimmmjnnoknnmjnnmknnojnpmknnnknnmjmikilkliljk' +
      'ffhhfigeilklmlllhklllkkkjllnnmkihkilnjjjeijjgmjiimkkmlijgkjjmnni',
  ],
];

const SLASH = 0x2f;
/** The greatest distance of two bytes that {@link shareOfPair} knows about. */
export const MOST_DISTANCE: number = AFTER_SLASH.length;

function shares(digits: string, scale: number): Float64Array {
  const byDigit = Array.from({ length: 36 }, (_, digit) => 2 ** (-digit / scale));
  const all = new Float64Array(digits.length);
  // by code, for this runs whenever a program starts
  for (let at = 0; at < all.length; at++) all[at] = byDigit[digitOf(digits.charCodeAt(at))] as number;
  return all;
}

function digitOf(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** How many kinds of data are told apart. */
export const KINDS: number = DIGITS_OF_KINDS.length;
// not every search is planned by these
/** Kinds of data: how much there is of each, and the share of each byte value in it. */
export const kindsOfData: () => readonly { readonly share: number; readonly bytes: Float64Array }[] = once(
  () => DIGITS_OF_KINDS.map(([share, digits]) => ({ share, bytes: shares(digits, 2) })),
);
const single = once(() => shares(SINGLE, 2));
const afterSlash = once(() => AFTER_SLASH.map((digits) => shares(digits, 1.5)));
const beforeSlash = once(() => BEFORE_SLASH.map((digits) => shares(digits, 1.5)));

/** The share of addresses at which this byte stands. */
export function shareOf(byte: number): number {
  return single()[byte] as number;
}

/** The share of addresses at which `first` stands and `second` stands `distance` behind it. ASCII only. */
export function shareOfPair(first: number, second: number, distance: number): number {
  if (first === SLASH) return afterSlash()[distance - 1]?.[second] as number;
  if (second === SLASH) return beforeSlash()[distance - 1]?.[first] as number;
  return shareOf(first) * shareOf(second);
}
