/*
 * Runs of the local network, by multicast DNS (RFC 6762, RFC 6763): a coordinator announces where its run listens, and a worker
 * finds it. An announcement is no permission, and proves nothing: everybody on the network can make one. Who joins needs the token
 * and the fingerprint of the run's certificate from its owner.
 */
import { networkInterfaces } from 'node:os';
import makeMdns, { type MulticastDNS, type ResponseOutgoingPacket, type ResponsePacket } from 'multicast-dns';
import type { Clock } from '../actor/clock.js';
import { randomIdentifier } from '../actor/rng.js';
import { NAME_CHARACTERS_MAX } from '../protocol/limits.js';
import { toPlainText } from '../protocol/text.js';

/** What runs are called in DNS. */
const SERVICE = '_unisum._tcp.local';
/** How long others may remember an announcement, in seconds. */
const TTL_S = 120;
/** A record is not sent again within a second (RFC 6762, section 6): floods of questions cost no more. */
const ANSWER_EVERY_MS = 1000;
/** How long a worker listens, and how often it asks: longer than an answer to somebody else suppresses its own. */
const LISTEN_MS = 3000;
const ASK_EVERY_MS = 1100;
/** Most runs that are listed: anybody can announce any number. */
const FOUND_MAX = 32;

/** What is told of a run. */
export interface AnnouncedRun {
  /** Name of the recipe. */
  readonly recipe: string;
  /** Name of the machine. */
  readonly machine: string;
  readonly port: number;
  readonly isEncrypted: boolean;
}

/** A run that was found. */
export interface FoundRun extends AnnouncedRun {
  /** The address that the announcement came from. */
  readonly host: string;
}

/**
 * Announces a run on the local network until the function that is returned is called.
 * @param host where the run listens: on all networks of this machine, or on that of one address
 * @param onProblem told once, if it cannot be announced
 */
export function announceRun(
  { recipe, machine, port, isEncrypted }: AnnouncedRun,
  host: string,
  clock: Clock,
  onProblem: (text: string) => void,
): () => void {
  const id = randomIdentifier().slice(0, 12);
  const [name, target] = [`${id}.${SERVICE}`, `${id}.local`];
  const texts = [`recipe=${recipe}`, `machine=${machine}`, `tls=${Number(isEncrypted)}`];
  const announcement = (address: string, ttl: number): ResponseOutgoingPacket => ({
    answers: [{ name: SERVICE, type: 'PTR', ttl, data: name }],
    additionals: [
      { name, type: 'SRV', ttl, data: { port, target } },
      { name, type: 'TXT', ttl, data: texts.map((text) => text.slice(0, 255)) },
      { name: target, type: 'A', ttl, data: address },
    ],
  });
  const addresses = addressesOf(host);
  const problem = once(onProblem);
  if (addresses.length === 0) problem('this machine has no network with IPv4');
  const open = addresses.map((address) => {
    const mdns = socketOn(address, problem);
    let answeredAtMs = Number.NEGATIVE_INFINITY;
    const answer = (): void => {
      if (clock.nowMs() - answeredAtMs < ANSWER_EVERY_MS) return;
      answeredAtMs = clock.nowMs();
      mdns.respond(announcement(address, TTL_S));
    };
    mdns.on('query', ({ questions = [] }) => {
      const isMeant = questions.some(
        ({ name, type }) => ['PTR', 'ANY'].includes(type) && name.toLowerCase() === SERVICE,
      );
      if (isMeant) answer();
    });
    mdns.on('ready', answer);
    return { mdns, address };
  });
  return () => {
    // A time to live of 0: the run is gone.
    for (const { mdns, address } of open) mdns.respond(announcement(address, 0), () => mdns.destroy());
  };
}

/**
 * The runs that are announced on the local networks of this machine. Takes three seconds.
 * @param onProblem told once, if a network cannot be asked
 */
export async function findRuns(clock: Clock, onProblem: (text: string) => void): Promise<FoundRun[]> {
  const found = new Map<string, FoundRun>();
  const problem = once(onProblem);
  const open = addressesOf('0.0.0.0').map((address) => {
    const mdns = socketOn(address, problem);
    mdns.on('response', (packet, { address: from }) => {
      for (const [name, run] of runsIn(packet, from))
        if (run === undefined) found.delete(name);
        else if (found.size < FOUND_MAX) found.set(name, run);
    });
    return mdns;
  });
  for (let askedMs = 0; askedMs < LISTEN_MS; askedMs += ASK_EVERY_MS) {
    for (const mdns of open) mdns.query(SERVICE, 'PTR');
    await new Promise<void>((resolve) => void clock.after(ASK_EVERY_MS, resolve));
  }
  for (const mdns of open) mdns.destroy();
  return [...found.values()].sort((a, b) => (a.machine < b.machine ? -1 : 1));
}

/** The runs of a packet from the network, by name; undefined: the run says that it is gone. */
function* runsIn(
  { answers = [], additionals = [] }: Pick<ResponsePacket, 'answers' | 'additionals'>,
  host: string,
): Iterable<[string, FoundRun | undefined]> {
  const records = [...answers, ...additionals];
  for (const record of records) {
    if (record.type !== 'SRV' || !record.name.toLowerCase().endsWith(`.${SERVICE}`)) continue;
    const { name } = record;
    if (record.ttl === 0) yield [name, undefined];
    const texts = records.flatMap((one) =>
      one.type === 'TXT' && one.name === name ? [one.data].flat() : [],
    );
    const textOf = (key: string): string => {
      const text = texts.map(String).find((one) => one.startsWith(`${key}=`)) ?? '';
      return toPlainText(text.slice(key.length + 1) || '?', NAME_CHARACTERS_MAX);
    };
    const { port } = record.data;
    if (record.ttl === 0 || port < 1) continue;
    const [recipe, machine] = [textOf('recipe'), textOf('machine')];
    yield [name, { recipe, machine, port, isEncrypted: textOf('tls') !== '0', host }];
  }
}

/** The addresses of this machine on which others can reach a host that a run listens on. IPv4 only. */
function addressesOf(host: string): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const reachable = all.filter(({ family, internal }) => family === 'IPv4' && !internal);
  const addresses = reachable.map(({ address }) => address);
  const isEvery = host === '0.0.0.0' || host === '::';
  return isEvery || !addresses.includes(host) ? addresses : [host];
}

/** A socket for one network. It binds to all addresses, as what is sent to a group has none of this machine's. */
function socketOn(address: string, problem: (text: string) => void): MulticastDNS {
  const mdns = makeMdns({ interface: address, bind: '0.0.0.0' });
  mdns.on('error', (error: Error) => problem(error.message));
  return mdns;
}

function once(tell: (text: string) => void): (text: string) => void {
  let isTold = false;
  return (text) => {
    if (!isTold) tell(text);
    isTold = true;
  };
}
