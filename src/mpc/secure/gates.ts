/**
 * What a layer may use of the protocol: the builder's types. Importing this, not `protocol/`, keeps every door that
 * opens a value out of reach of `ml/`.
 */
export type { AffineTerm, ExactTable, Gates, Parameter } from '../protocol/types.ts';
export type { Wire } from '../share/wire.ts';
