/** Keys of parties, as a program changes and keeps them. Node only. */
export { type BackupFor, type BackupOpens, type KeyEntry, KeyManager } from '../../node/key-manager.ts';
