/** Holds what a page of 256 KiB takes. */
const SPARE_BYTES = 327_680;

/** Undefined until the first reader comes, null while one has it. */
let spare: Buffer | null | undefined;

/**
 * Runs a task with a buffer that nobody else uses meanwhile; without one while another task has it. Memory that is fresh for every read
 * has to be mapped and cleared by the system, which is a sixth of the time of a read.
 */
export async function withSpareBuffer<T>(task: (buffer: Buffer | null) => Promise<T>): Promise<T> {
  const buffer = spare === undefined ? Buffer.allocUnsafeSlow(SPARE_BYTES) : spare;
  spare = null;
  try {
    return await task(buffer);
  } finally {
    if (buffer) spare = buffer;
  }
}
