import { RelayExecutor } from '../relay/relay-executor.js';
import { epochMs, systemClock } from '../shared/actor/clock.js';
import { randomIdentifier, randomSeed } from '../shared/actor/rng.js';
import type { Device } from '../shared/engine/device.js';
import { createCertificate, fingerprintOf } from '../shared/link/certificate.js';
import { readCertificate } from '../shared/link/certificate-files.js';
import type { Link } from '../shared/link/link.js';
import { connectionsMax, type ListenAddress, listen, reachableHost } from '../shared/link/listen.js';
import { connectWebSocket } from '../shared/link/web-socket-client.js';
import { acceptWebSockets } from '../shared/link/web-socket-server.js';
import { formatJoinUrl } from '../shared/protocol/join-url.js';
import { removeJoinFile, writeJoinFile } from './join-file.js';
import type { PortSettings } from './options/port-options.js';
import type { WorkerSettings } from './options/worker-options.js';
import { type WorkerHost, type WorkerMeans, type WorkerOutcome, workWith } from './worker-run.js';

/** Which run to relay, and where those below connect. */
export interface RelaySettings extends WorkerSettings, Omit<PortSettings, 'publicUrl'> {
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
  host.say(`join below this relay:  npm run -s unisum -- worker '${joinUrl}'`);
  if (joinFile !== undefined) await writeJoinFile(joinFile, joinUrl);
  return {
    executor,
    connect: async () => {
      await executor.somebody();
      upwards = await connectWebSocket(join, clock);
      return upwards;
    },
    close: async (reason) => {
      if (joinFile !== undefined) await removeJoinFile(joinFile);
      await executor.close(reason);
      await listening.close();
    },
  };
}
