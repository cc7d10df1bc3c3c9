/** A fresh id of 32 characters. `crypto.randomUUID` exists only in secure contexts, so it is not relied on. */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
