// @ts-check

/** The oldest Node release that runs Unisum: [major, minor]. Also in package.json, "engines". */
const OLDEST = [20, 19];

/**
 * @param {string} version such as "20.19.4"
 * @returns {string | undefined} an error message with the remedy, or undefined when the version is new enough
 */
export function tooOld(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `Node ${OLDEST.join('.')} or newer is needed, this is ${version}: install a current one from https://nodejs.org`;
}
