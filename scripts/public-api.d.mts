import type { Node, Project } from 'ts-morph';

export interface Exported {
  readonly name: string;
  readonly declarations: readonly Node[];
}
export interface Doc {
  readonly description: string;
  readonly examples: readonly string[];
  /** How many `@throws` there are. */
  readonly throws: number;
}
export const ENTRIES: readonly string[];
export function openProject(): Project;
export function exportsOf(project: Project, entry: string): Exported[];
export function hidden(exported: readonly Exported[]): Exported[];
export function report(project: Project): string;
export function docOf(node: Node): Doc | undefined;
export function callablesOf(name: string, node: Node): readonly { readonly name: string; readonly node: Node }[];
export interface TypeExample {
  /** The declaration that has it: the type itself, or a function that takes or gives it. */
  readonly from: string;
  readonly code: string;
}
export function typeExamples(all: readonly Exported[]): ReadonlyMap<string, TypeExample>;
