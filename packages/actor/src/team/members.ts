import { assertName, invalid, quote } from '../errors.ts';
import type { AnyActor } from '../registry/registry.ts';
import type { TeamMember, TeamOptions } from './team.ts';

/** A member with everything filled in. */
export interface Member {
  readonly name: string;
  readonly actor: AnyActor;
  readonly after: readonly string[];
  readonly input: TeamMember['input'];
}

/**
 * The members in an order in which each comes after those it needs.
 *
 * @throws `INVALID_ARGUMENT` for a team without members, a member that is no actor, one that comes after an unknown one or after itself.
 */
export function resolveMembers(given: TeamOptions['members']): readonly Member[] {
  if (typeof given !== 'object' || given === null || Object.keys(given).length === 0)
    throw invalid(`\`members\` must name at least one actor; got ${quote(given)}.`);
  const waiting = Object.entries(given).map(([name, entry]) => toMember(name, entry, given));
  const ordered: Member[] = [];
  while (waiting.length > 0) {
    const ready = waiting.findIndex(({ after }) => after.every((name) => ordered.some((done) => done.name === name)));
    const [member] = waiting.splice(ready, ready < 0 ? 0 : 1);
    if (!member) throw invalid(`Each of ${waiting.map(({ name }) => quote(name)).join(', ')} comes after another one.`);
    ordered.push(member);
  }
  return ordered;
}

function toMember(name: string, entry: AnyActor | TeamMember, all: TeamOptions['members']): Member {
  assertName('members', name);
  const { actor, after = [], input } = isMember(entry) ? entry : { actor: entry };
  if (typeof actor !== 'object' || actor === null || typeof actor.stream !== 'function')
    throw invalid(`The member ${quote(name)} must be an actor; got ${quote(actor)}.`);
  for (const before of after)
    if (!(before in all)) throw invalid(`The member ${quote(name)} comes after ${quote(before)}, which is no member.`);
  return { name, actor, after, input };
}

function isMember(entry: AnyActor | TeamMember): entry is TeamMember {
  return typeof entry === 'object' && entry !== null && 'actor' in entry;
}
