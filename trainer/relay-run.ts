import { RelayExecutor } from '../relay/relay-executor.js';
import { epochMs, systemClock } from '../shared/actor/clock.js';
import { randomIdentifier, randomSeed } from '../shared/actor/rng.js';
import { commandLine } from '../shared/command-line.js';
import type { Device } from '../shared/engine/device.js';
import { createCertificate, fingerprintOf } from '../shared/link/certificate.js';
import { readCertificate } from '../shared/link/certificate-files.js';
import type { Link } from '../shared/link/link.js';
import { connectionsMax, type ListenAddress, listen, reachableHost } from '../shared/link/listen.js';
import { connectWebSocket } from '../shared/link/web-socket-client.js';
import { acceptWebSockets } from '../shared/link/web-socket-server.js';
import { formatJoinUrl, hostAndPort } from '../shared/protocol/join-url.js';
import type { Refuse, Stop } from '../shared/protocol/messages.js';
import { removeJoinFile, writeJoinFile } from './join-file.js';
import type { PortSettings } from './options/port-options.js';
import type { WorkerSettings } from './options/worker-options.js';
import { type WorkerHost, type WorkerMeans, type WorkerOutcome, workWith } from './worker-run.js';

/** Which run to relay, and where those below connect. */
export interface RelaySettings
  extends WorkerSettings,
    Omit<PortSettings, 'publicUrl' | 'trustedProxies' | 'isAnnounced'> {
  readonly listen: ListenAddress;
  /** How many must be below before it joins. */
  readonly minWorkers: number;
  /** Fraction of the work below that is computed twice. */
  readonly audit: number;
}

/** Relays a run until it ends, or until the host interrupts it. Joins it whenever somebody is below. */
export function relayRun(settings: RelaySettings, host: WorkerHost): Promise<WorkerOutcome> {
  return workWith(settings, host, (device) => means(settings, host, device));
}

async function means(settings: RelaySettings, host: WorkerHost, device: Device): Promise<WorkerMeans> {
  const clock = systemClock;
  const { join, memory, audit, minWorkers, joinFile } = settings;
  const { token } = join;
  let upwards: Link | undefined;
  const executor = new RelayExecutor({
    ...{ device, clock, bytesMax: memory, minWorkers },
    own: {
      ...{ runId: randomIdentifier(), token, connectionsMax: connectionsMax() },
      audit: { fraction: audit, seed: randomSeed() },
    },
    onNotice: (text) => host.say(text),
    onNobody: () => upwards?.close('no worker is ready below this relay'),
    onFailure: (error) => {
      throw error;
    },
  });
  const certificate =
    settings.certificate !== undefined
      ? await readCertificate(settings.certificate, epochMs())
      : settings.tls
        ? await createCertificate(epochMs())
        : undefined;
  const listening = await listen(settings.listen, { clock, certificate });
  acceptWebSockets(listening, { clock, listenHost: settings.listen.host }, (link, watches) => {
    if (watches) return link.close('a relay shows nothing: watch the run itself');
    executor.accept(link);
  });
  if (listening.shortage !== undefined) host.say(listening.shortage);
  const joinUrl = formatJoinUrl({
    ...{ host: await reachableHost(settings.listen.host), port: listening.port, token },
    ...(certificate && { fingerprint: fingerprintOf(certificate.certificate) }),
  });
  if (joinFile !== undefined) await writeJoinFile(joinFile, joinUrl);
  host.say(`join below this relay:  ${commandLine(`worker '${joinUrl}'`)}`);
  return {
    executor,
    connect: async () => {
      const { awaited } = executor;
      if (awaited > 0) {
        // Without this, an address where no run is would be told when the first worker has come.
        (await connectWebSocket(join, clock)).close('nobody is below the relay');
        const workers = awaited === 1 ? 'a worker is' : `${awaited} workers are`;
        host.say(`${hostAndPort(join)} answers; the relay joins the run when ${workers} below it`);
      }
      await executor.somebody();
      upwards = await connectWebSocket(join, clock);
      return upwards;
    },
    close: async (end) => {
      if (joinFile !== undefined) await removeJoinFile(joinFile);
      await executor.close(toldBelow(end));
      await listening.close();
    },
  };
}

/** Why it is over, to those below: what happened to the relay did not happen to them. */
function toldBelow({ exitReason, reason }: Parameters<WorkerMeans['close']>[0]): Stop | Refuse {
  if (exitReason === 'finished') return { kind: 'stop', reason };
  if (exitReason === 'interrupted') return { kind: 'stop', reason, isUnfinished: true };
  if (exitReason === 'left') return { kind: 'stop', reason: 'the relay has left the run' };
  return { kind: 'refuse', reason: `the relay has ended: ${reason}` };
}
