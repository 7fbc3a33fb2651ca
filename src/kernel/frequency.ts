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

/** Of single bytes in programs and libraries, and in text of all kinds on a Debian system: scale 2. */
const IN_PROGRAMS =
  '4cefffhhdihhhhecehhjiijjfkkkjjjfejkkcilkgikkjkikgfijhijjggkjjjkigdghefii9ekjehhjgkighijjikjiiike' +
  'ieifgefihfkkegffglffdgijhilkikkjgjkeffjkjblcjekkhmmmklmmjlmmlmmmjmmmlmmljmlmlmmljmmmkmjlikjlkkik' +
  'fhjhijigjjklllllikjklllljllkllkiikklklkjdgkhjjjhikjjkkiihjiiiiga';
const IN_TEXT =
  'zzzzzzzzzfbzzzzzzzzzzzzzzzzzzzzz5megjplgddemdeedefghhhhihhfffffnmdhegdghiemifgeefmedehikhjnjjjqa' +
  'jaebb8cecajfbcaaclaa9cfgfejikiqzqtssvwvtvxwwvtxrvuwwruvwutvwvwwptuxwvxwuvuvwxvxwtuuuutwwquuutttv' +
  'zzuquvzzzxzzzzuxnqzzzzzttuzyzzzzrupuzxyzzzzxwzzvpzzzzzzzzzzzzzzz';

const SLASH = 0x2f;
/** The greatest distance of two bytes that {@link shareOfPair} knows about. */
export const MOST_DISTANCE: number = AFTER_SLASH.length;

function shares(digits: string, scale: number): Float64Array {
  return Float64Array.from(digits, (digit) => 2 ** (-parseInt(digit, 36) / scale));
}

/** The share of each byte value in programs, and in text. */
export const SHARES_OF_BYTES: readonly [Float64Array, Float64Array] = [
  shares(IN_PROGRAMS, 2),
  shares(IN_TEXT, 2),
];
const single = shares(SINGLE, 2);
const afterSlash = AFTER_SLASH.map((digits) => shares(digits, 1.5));
const beforeSlash = BEFORE_SLASH.map((digits) => shares(digits, 1.5));

/** The share of addresses at which this byte stands. */
export function shareOf(byte: number): number {
  return single[byte] as number;
}

/** The share of addresses at which `first` stands and `second` stands `distance` behind it. ASCII only. */
export function shareOfPair(first: number, second: number, distance: number): number {
  if (first === SLASH) return afterSlash[distance - 1]?.[second] as number;
  if (second === SLASH) return beforeSlash[distance - 1]?.[first] as number;
  return shareOf(first) * shareOf(second);
}
