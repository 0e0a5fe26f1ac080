import { describe, expect, it } from 'vitest';
import { asksForSomething } from '../../src/app/address.ts';

const asks = (address: string): boolean =>
  asksForSomething(new URL(address, 'https://page.example/'), (id) => ['how', 'limits', 'text'].includes(id));

describe('options in the address', () => {
  it.each(['/?protocol=3pc_malicious', '/?security_level=256', '/?x', '/#protocol=aby3', '/?weights=secret#how'])(
    '%s is refused, not ignored',
    (address) => expect(asks(address)).toBe(true),
  );
  it.each(['/', '/?', '/#', '/#how', '/index.html#limits'])('%s asks for nothing', (address) =>
    expect(asks(address)).toBe(false),
  );
});
