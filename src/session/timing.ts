/** Short waits of a session: for what explains an event that was seen first somewhere else. */

/** How long a party whose link broke may take to say why, and another link to show what is wrong with it. */
export const REASON_MS = 400;

/** How long an owner's leaving may be behind that of the other compute party. */
export const OWNER_LEAVES_MS = 1_000;
