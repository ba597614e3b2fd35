const HOUR = 3_600_000;

/** USD that `ms` milliseconds cost at `usdPerHour`. Marketplaces accrue by the second; we count as they do. */
export function costOf(usdPerHour: number, ms: number): number {
  return (usdPerHour * Math.max(0, ms)) / HOUR;
}

/** Milliseconds that `usd` buys at `usdPerHour`; Infinity when it is free. */
export function timeBoughtBy(usd: number, usdPerHour: number): number {
  if (usdPerHour <= 0) return Number.POSITIVE_INFINITY;
  return (Math.max(0, usd) / usdPerHour) * HOUR;
}

/** `$2.35`, and as many digits as show that a small amount is not nothing: `$0.0042`. */
export function formatUsd(usd: number): string {
  if (usd === 0) return "$0.00";
  const amount = Math.abs(usd);
  if (amount >= 0.095) return `$${usd.toFixed(2)}`;
  // Two digits that count; toFixed takes at most 100.
  return `$${usd.toFixed(Math.min(100, Math.max(4, 1 - Math.floor(Math.log10(amount)))))}`;
}

/** Whether a price is above another by more than rounding. */
export function isDearer(usd: number, than: number): boolean {
  return usd > than * 1.01;
}
