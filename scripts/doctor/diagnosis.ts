import type { MachineSurvey, SurveyedBackend } from './machine-survey.js';

/** What was found: `broken` keeps the machine from training, `advice` makes it slower or keeps others out. */
export interface Finding {
  readonly topic: string;
  readonly state: 'good' | 'advice' | 'broken';
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** Programs that want to run for each core, above which they slow a run down. */
const LOAD_MAX = 0.25;
/** Connections below which a class of machines does not fit. */
const CONNECTIONS_LEAST = 256;
/** A clock that does not tell steps of a small network apart. */
const CLOCK_STEP_MS_MAX = 1;
const GIB = 2 ** 30;
/** Memory in which every recipe of the program fits. */
const MEMORY_BYTES_LEAST = GIB;
/** Time zones and adjustments do not make a clock wrong. */
const CLOCK_ERROR_MS_MAX = 24 * 3600 * 1000;

/** Judges a machine, topic by topic. */
export function diagnoseMachine(survey: MachineSurvey): Finding[] {
  return [
    {
      topic: 'program',
      state: 'good',
      text: `version ${survey.version}, Node ${survey.node}, ${survey.platform}`,
    },
    coresFinding(survey),
    loadFinding(survey),
    memoryFinding(survey),
    ...kernelFindings(survey),
    ...portFindings(survey),
    filesFinding(survey),
    ...clockFindings(survey),
    folderFinding(survey),
  ];
}

function folderFinding({ isWritable }: MachineSurvey): Finding {
  if (isWritable) return { topic: 'runs', state: 'good', text: 'the current directory takes runs' };
  return {
    ...{ topic: 'runs', state: 'broken', text: 'the current directory is not writable' },
    remedy: 'change to another one, or name one with --run-dir DIR',
  };
}

function coresFinding({ processor, processors, cores }: MachineSurvey): Finding {
  const text = `${processor}: ${processors} processors`;
  if (cores >= processors) return { topic: 'cores', state: 'good', text: `${text}, all for workers` };
  return {
    ...{ topic: 'cores', state: 'advice', text: `${text}, but a CPU quota leaves ${cores} for workers` },
    remedy: `raise the quota of the container or control group (docker run --cpus ${processors})`,
  };
}

function loadFinding({ load, cores }: MachineSurvey): Finding {
  const text = `load average ${load.toFixed(2)}`;
  if (load <= LOAD_MAX * cores) return { topic: 'load', state: 'good', text };
  return {
    ...{ topic: 'load', state: 'advice', text: `${text}: other programs take part of the ${cores} cores` },
    remedy: 'end them for a faster run; the weights do not depend on it',
  };
}

function memoryFinding({ memoryBytes, freeBytes }: MachineSurvey): Finding {
  const text = `${(freeBytes / GIB).toFixed(1)} of ${(memoryBytes / GIB).toFixed(1)} GiB free`;
  if (freeBytes >= MEMORY_BYTES_LEAST) return { topic: 'memory', state: 'good', text };
  return {
    ...{ topic: 'memory', state: 'advice', text },
    remedy: 'large networks and data sets may not fit: end other programs, or take a smaller batch',
  };
}

function kernelFindings({ backends }: MachineSurvey): Finding[] {
  const usable = backends.filter(({ isUsable }) => isUsable);
  // `auto` takes the first that can be used: they are in the order of their speed.
  const [used] = usable;
  if (used === undefined) {
    const text = `none can be used: ${backends.map(({ detail }) => detail).join('; ')}`;
    return [{ topic: 'kernels', state: 'broken', text, remedy: 'install Node 20.19 or newer' }];
  }
  return [usedFinding(used, backends), ...selfTestFindings(usable)];
}

function selfTestFindings(usable: readonly SurveyedBackend[]): Finding[] {
  const wrong = usable.filter(({ wrongKernel }) => wrongKernel !== undefined);
  if (wrong.length === 0) {
    const names = usable.map(({ backend, detail }) => `${backend} (${detail})`).join(', ');
    const text = `${names}: every kernel gives the bits that it gives everywhere`;
    return [{ topic: 'self-test', state: 'good', text }];
  }
  const remedy =
    'this machine cannot join a run with it: take another build with --backend, or test its memory and processor';
  return wrong.map(({ backend, wrongKernel }) => {
    const text = `${backend}: the kernel ${wrongKernel} gives wrong bits`;
    return { topic: 'self-test', state: 'broken', text, remedy };
  });
}

function usedFinding(used: SurveyedBackend, backends: readonly SurveyedBackend[]): Finding {
  const text = `${used.backend} (${used.detail})`;
  if (used.backend === 'native') return { topic: 'kernels', state: 'good', text };
  const native = backends.find(({ backend }) => backend === 'native');
  return {
    ...{
      topic: 'kernels',
      state: 'advice',
      text: `${text}; native is two to four times as fast, but ${native?.detail}`,
    },
    remedy: 'install a C compiler, then delete the folder that the message names, or dist/ in a checkout',
  };
}

function portFindings({ loopbackFault, outsideFault, addresses }: MachineSurvey): Finding[] {
  if (loopbackFault !== undefined)
    return [
      {
        ...{ topic: 'ports', state: 'broken', text: `no port can be opened on 127.0.0.1: ${loopbackFault}` },
        remedy: 'allow this program to listen: see the settings of the firewall or sandbox',
      },
    ];
  if (outsideFault !== undefined)
    return [
      {
        ...{
          topic: 'ports',
          state: 'advice',
          text: `no port can be opened for other machines: ${outsideFault}`,
        },
        remedy: 'allow this program to listen on 0.0.0.0; training on this machine alone works',
      },
    ];
  const others =
    addresses.length === 0
      ? 'no other machine can reach this one: it has no address but loopback'
      : `others reach this machine at ${addresses.join(', ')}, unless a firewall forbids it`;
  return [{ topic: 'ports', state: 'good', text: `ports can be opened; ${others}` }];
}

function filesFinding({ openFilesMax, connections }: MachineSurvey): Finding {
  if (openFilesMax === undefined)
    return { topic: 'open files', state: 'good', text: 'the system names no limit' };
  const text = `${openFilesMax} may be open, which allows ${connections} connections`;
  if (connections >= CONNECTIONS_LEAST) return { topic: 'open files', state: 'good', text };
  return { topic: 'open files', state: 'advice', text, remedy: 'raise the limit: ulimit -n 4096' };
}

function clockFindings({ nowMs, installedMs, clockStepMs }: MachineSurvey): Finding[] {
  const findings: Finding[] = [];
  const text = `it is ${new Date(nowMs).toISOString()}`;
  if (nowMs >= installedMs - CLOCK_ERROR_MS_MAX) findings.push({ topic: 'clock', state: 'good', text });
  else
    findings.push({
      ...{ topic: 'clock', state: 'advice', text: `${text}, which is before the program was installed` },
      remedy: 'set the clock: other machines may refuse the certificate of a run',
    });
  if (clockStepMs > CLOCK_STEP_MS_MAX) {
    const coarse = `its steps are ${clockStepMs.toFixed(1)} ms, so that throughput is measured coarsely`;
    findings.push({ topic: 'clock', state: 'advice', text: coarse });
  }
  return findings;
}
