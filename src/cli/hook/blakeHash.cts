/*
 * BLAKE3 for the hook. The package finds out which C library there is by a report on the whole process,
 * which takes longer than a hash; where its build for the usual one is there and can be loaded, that is it.
 */

const NAME = '@napi-rs/blake-hash';

function load(): unknown {
  if (process.platform === 'linux') {
    try {
      return require(`${NAME}-linux-${process.arch}-gnu`);
    } catch (error) {
      // the package itself says what is wrong, if anything is
      void error;
    }
  }
  return require(NAME);
}

module.exports = load();
