import type { StreamEnd, StreamError } from '@perennial/core';
import type { StreamStatus } from '@perennial/core/client';
import { useStream, type UseStreamItemsOptions } from '@perennial/react';
import { expectTypeOf } from 'vitest';

declare const schema: NonNullable<UseStreamItemsOptions<{ text: string; at: Date }>['schema']>;

export function useTypes(): void {
  const plain = useStream('/s');
  expectTypeOf(plain.data).toEqualTypeOf<readonly unknown[]>();
  expectTypeOf(plain.status).toEqualTypeOf<StreamStatus>();
  expectTypeOf(plain.end).toEqualTypeOf<StreamEnd | null>();
  expectTypeOf(plain.error).toEqualTypeOf<StreamError | null>();
  expectTypeOf(plain.count).toBeNumber();

  expectTypeOf(useStream<string>('/s').data).toEqualTypeOf<readonly string[]>();
  expectTypeOf(
    useStream({ url: '/s', headers: async () => ({ authorization: 'x' }) }, { maxItems: 10, schema }).data,
  ).toEqualTypeOf<readonly { text: string; at: Date }[]>();

  const reduced = useStream('/s', {
    schema,
    reduce: (text, item) => text + item.text + item.at.toISOString(),
    initial: '',
  });
  expectTypeOf(reduced.data).toEqualTypeOf<string>();

  const counted = useStream('/s', {
    reduce: (state: { n: number }, item: string, { position }) => ({ n: state.n + item.length + position }),
    initial: { n: 0 },
    select: ({ n }) => n > 3,
    onItems: (items) => expectTypeOf(items).toEqualTypeOf<readonly string[]>(),
  });
  expectTypeOf(counted.data).toEqualTypeOf<boolean>();

  const selected = useStream<string, number>('/s', { select: (items) => items.length });
  expectTypeOf(selected.data).toEqualTypeOf<number>();
  const inferred = useStream('/s', { schema, select: (items) => items.map(({ at }) => at) });
  expectTypeOf(inferred.data).toEqualTypeOf<Date[]>();

  // @ts-expect-error -- reduced data needs a beginning
  useStream('/s', { reduce: (text: string, item: string) => text + item });
  // @ts-expect-error -- there are no items to limit
  useStream('/s', { reduce: (text: string, item: string) => text + item, initial: '', maxItems: 3 });
  // @ts-expect-error -- not offered
  useStream('/s', { share: 'tabs' });
  // @ts-expect-error -- no such batch
  useStream('/s', { batch: 'sometimes' });
}
