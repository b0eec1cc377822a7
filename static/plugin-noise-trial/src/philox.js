/** Random draws of the stimulus contract `yoked-1`: Philox4x32-10, in 32-bit integers. */

/** Two 32-bit words, low one first. @typedef {readonly [number, number]} Words */

const DRAWS_PER_BLOCK = 8;
const N_ROUNDS = 10;

/**
 * Encrypt a counter of four 32-bit words.
 * @param {readonly [number, number, number, number]} counter
 * @param {Words} key
 * @returns {[number, number, number, number]}
 */
export function philox(counter, key) {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < N_ROUNDS; round++) {
    const [high0, low0] = [highProduct(a, 0xd2511f53), Math.imul(a, 0xd2511f53)];
    const [high1, low1] = [highProduct(c, 0xcd9e8d57), Math.imul(c, 0xcd9e8d57)];
    [a, b, c, d] = [high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0];
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/**
 * The high word of a product of two 32-bit words, in halves that no double has to round.
 * @param {number} x
 * @param {number} y
 */
function highProduct(x, y) {
  const [xl, xh, yl, yh] = [x & 0xffff, x >>> 16, y & 0xffff, y >>> 16];
  const middle = xh * yl + ((xl * yl) >>> 16); // below 2^32
  const other = xl * yh + (middle & 0xffff);
  return (xh * yh + (middle >>> 16) + (other >>> 16)) | 0;
}

/**
 * The words of a whole number in [0, 2^63), given as decimal text where it may pass 2^53.
 * @param {string | number} whole
 * @returns {Words}
 */
export function wordsOf(whole) {
  const number = BigInt(whole);
  if (number < 0n || number >> 63n) throw new Error(`a seed or id must be in [0, 2^63), got ${whole}`);
  return [Number(number & 0xffffffffn), Number(number >> 32n)];
}

/**
 * Draw 16-bit numbers, each a function of (seed, id, stream, position) alone.
 * @param {string | number} seed
 * @param {string | number} id of the stimulus
 * @param {number} stream 0 the schedule, 16 + k the noise of interval k
 * @param {number} n
 */
export function draws(seed, id, stream, n) {
  const [key, [low, high]] = [wordsOf(seed), wordsOf(id)];
  const found = new Uint16Array(Math.ceil(n / DRAWS_PER_BLOCK) * DRAWS_PER_BLOCK);
  for (let block = 0; block * DRAWS_PER_BLOCK < n; block++) {
    philox([block, stream, low, high], key).forEach((word, i) => {
      found[DRAWS_PER_BLOCK * block + 2 * i] = word; // the low half: the array keeps 16 bits
      found[DRAWS_PER_BLOCK * block + 2 * i + 1] = word >>> 16;
    });
  }
  return found.subarray(0, n);
}

/**
 * A seed that nobody can guess, as decimal text; the highest 2^32 are reserved for practice.
 * @returns {string}
 */
export function freshSeed() {
  const words = crypto.getRandomValues(new Uint32Array(2));
  const [low, high] = [BigInt(words[0] ?? 0), BigInt(words[1] ?? 0) & 0x7fffffffn];
  return high === 0x7fffffffn ? freshSeed() : String((high << 32n) | low);
}
