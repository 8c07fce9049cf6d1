/**
 * When a socket that listens may close. A program may be connected to itself: what goes to a
 * socket that is gone would be tried again for as long as `linger` says, often for ever.
 */
import type { HostTimer } from "../host/host.ts";
import type { Reactor } from "../reactor/reactor.ts";

/** A context, as seen from here. */
export interface Origin {
  readonly reactor: Reactor;
  /** Told of each closed socket that is gone. */
  readonly whenGone: Set<() => void>;
}

/** How often is looked whether anything is still on its way, */
const LOOK_MS = 50;
/** after how many looks that see nothing it is given up: it may take a while to connect again; */
const QUIET_LOOKS = 6;
/** and after how many in any case. */
const MOST_LOOKS = 600;

/** Calls `then` when nothing is on its way from `origins` any more, or gets on. */
export function whenArrived(
  origins: readonly Origin[],
  isUnderWay: () => boolean,
  then: () => void,
): void {
  if (!isUnderWay()) return then();
  const { host } = origins[0]!.reactor;
  let timer: HostTimer;
  let quiet = 0, looks = 0, last = -1;
  const end = () => {
    timer.cancel();
    for (const { whenGone } of origins) whenGone.delete(gone);
    then();
  };
  const gone = () => {
    if (!isUnderWay()) end();
  };
  const look = () => {
    timer = host.setTimer(look, LOOK_MS);
    const writes = origins.map(({ reactor }) => reactor.instance.fds.writes)
      .reduce((sum, count) => sum + count);
    quiet = writes === last ? quiet + 1 : 0;
    last = writes;
    const isGivenUp = quiet === QUIET_LOOKS || ++looks === MOST_LOOKS;
    if (isGivenUp || !isUnderWay()) end();
  };
  for (const { whenGone } of origins) whenGone.add(gone);
  look();
}
