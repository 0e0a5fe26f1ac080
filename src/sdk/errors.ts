/** What an SDK says of errors, in a page and in Node alike. */
export {
  type ErrorCode,
  type ErrorKind,
  GpuOutOfMemoryError,
  InputError,
  NetworkError,
  NetworkTimeoutError,
  SecurityViolationError,
  TercetError,
  type ViolationPhase,
} from '../core/errors.ts';
