/** Bytes in the base64url alphabet (A-Z a-z 0-9 - _), without padding. For a few bytes: identifiers, tokens, hashes. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
