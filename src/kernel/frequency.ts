/**
 * How rare each byte is, as -2·log2 of its share in base 36: the mean of a large x86-64 library, of
 * text (HTML, Python, Perl, C headers) and of a list of every path of a Debian system.
 */
const RARITY =
  '6eggghhkghcmllhghlmmllnnjnmlknmk8lgielngghjmgdc9fegfgifhghhjghgnjfiiggjkcgnlfiijinihhkkklnmjjjmc' +
  'jaebc9edcbjgbcaackaa9cfgfdklklnnjlohhjnomeoflhnnlqppmppqnpqpoqpplqqpoqqqnpopoqqpmpqompnomnmpmomo' +
  'jjllmmljmmopopoolnmoppoomoonppnllnnooonnhknknnmmlonnpolllnmmmjif';

/** The share of each byte value in what is usually scanned. */
export const FREQUENCY: Float64Array = Float64Array.from(RARITY, (digit) => 2 ** (-parseInt(digit, 36) / 2));
