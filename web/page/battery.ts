/** What the Battery Status API tells, which TypeScript has no types of. */
interface BatteryManager extends EventTarget {
  readonly charging: boolean;
}

/** Where the machine's power comes from; unknown: the browser does not tell. */
export type Power = 'mains' | 'battery' | 'unknown';

/**
 * Reports where the machine's power comes from, now and whenever that changes. Only Chromium and its relatives tell, and only
 * to encrypted pages and those of the machine itself.
 */
export async function watchPower(onPower: (power: Power) => void): Promise<void> {
  const { getBattery } = navigator as Navigator & { getBattery?(): Promise<BatteryManager> };
  if (getBattery === undefined) return onPower('unknown');
  try {
    const battery = await getBattery.call(navigator);
    const report = (): void => onPower(battery.charging ? 'mains' : 'battery');
    battery.addEventListener('chargingchange', report);
    report();
  } catch {
    // A policy of the browser's owner may forbid it.
    onPower('unknown');
  }
}
