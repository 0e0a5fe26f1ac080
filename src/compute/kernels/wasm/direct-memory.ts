/**
 * The memory of a library of the processor, which sees all memory of its process: operands stay where they are, and
 * results are written where they belong. Only scratch and what stays are its own.
 */
import type { Words } from '../../ring.ts';
import type { Place } from './link.ts';
import { type Lane, type Lanewise, Memory } from './memory.ts';

export class DirectMemory extends Memory {
  override get direct(): boolean {
    return true;
  }

  override sees({ data }: Words): boolean {
    return data.length > 0;
  }

  override operand(data: Lane): Place {
    return data.length > 0 ? data : super.operand(data);
  }

  override shown(_at: number, data: Lane): Place {
    return data;
  }

  override place(at: number | undefined, result: Words, from: number, to: number): Place {
    return to > from ? result.data.subarray(from, to) : super.place(at, result, from, to);
  }

  override lanewise(k: number, operands: readonly Words[], work: Lanewise): Words {
    const result = this.result(k, operands[0].data.length);
    const places = operands.map(({ data }) => data);
    if (result.data.length > 0) work(places, result.data, result.data.length);
    return result;
  }
}
