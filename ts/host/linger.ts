/**
 * How long a closed connection may go on to send what it still holds to a peer that does not
 * read. In C that is either the system's already, or lost when `linger` is over.
 */

/** Where `linger` is for ever, too: the socket is closed, and its process may want to end. */
export const MOST_LINGER_MS = 30_000;
/** What the system takes at once may not have had its turn yet. */
const LEAST_LINGER_MS = 100;

/** Milliseconds, for a `linger` of libzmq. */
export function lingerOf(linger: number): number {
  return linger < 0
    ? MOST_LINGER_MS
    : Math.min(Math.max(linger, LEAST_LINGER_MS), MOST_LINGER_MS);
}
