/**
 * Sweeps whose cases repeat one another run a sample of them; TERCET_FULL_SWEEP=1 runs them all, as before a release.
 * What is left out is said where it is.
 */
export const FULL_SWEEP = process.env['TERCET_FULL_SWEEP'] === '1';
