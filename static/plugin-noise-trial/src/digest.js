/** What proves which bytes were drawn. */

/**
 * Hexadecimal SHA-256, or null where the browser has none: it offers one to secure pages only.
 * @param {Uint8Array} bytes
 * @returns {Promise<string | null>}
 */
export async function sha256(bytes) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const hash = new Uint8Array(await subtle.digest("SHA-256", /** @type {BufferSource} */ (bytes)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
