import { UserError } from '../../shared/errors.js';
import { PeerProcess } from './peer-process.js';

/** Where a Python with PyTorch may be: the first on the path, and that of Debian's packages. */
const PYTHONS = ['python3', '/usr/bin/python3'];
/**
 * Kernels that OpenBLAS may be told to use; undefined: those it chooses itself. It does not know processors that are
 * newer than it, and falls back to the slowest: measured, a fifth of what the best ones reach.
 */
const CORE_TYPES = [undefined, 'SKYLAKEX', 'HASWELL'];
const PROBE = { product: [512, 512, 512], transposed: 'none', seconds: 0.1 };
const PROBES = 3;
const MISSING =
  '--peer pytorch needs Python with PyTorch: on Debian apt install python3-torch libopenblas0, or leave --peer out';

/** PyTorch on this machine, with the fastest kernels that it has for it. */
export interface Pytorch {
  readonly version: string;
  /** What OpenBLAS was told to use; undefined: its own choice was best. */
  readonly coreType: string | undefined;
  /** Starts one of the programs in scripts/peers. */
  start(program: string, args?: readonly string[]): PeerProcess;
}

/**
 * Looks for PyTorch, and tries which kernels are its best here.
 * @throws UserError that says how to get it
 */
export async function findPytorch(): Promise<Pytorch> {
  for (const python of PYTHONS) {
    let best: { us: number; coreType: string | undefined; version: string } | undefined;
    for (const coreType of CORE_TYPES) {
      const probe = await tryOut(python, coreType);
      if (probe !== undefined && (best === undefined || probe.us < best.us)) best = { ...probe, coreType };
    }
    if (best === undefined) continue;
    const { version, coreType } = best;
    const environment = peerEnvironment(coreType);
    return {
      version,
      coreType,
      start: (program, args = []) => PeerProcess.start(python, program, args, environment),
    };
  }
  throw new UserError(MISSING);
}

/** Time of a product with these kernels; undefined where they, or PyTorch, do not run. */
async function tryOut(
  python: string,
  coreType: string | undefined,
): Promise<{ us: number; version: string } | undefined> {
  const peer = PeerProcess.start(python, 'pytorch-step.py', [], peerEnvironment(coreType));
  try {
    const { version } = await peer.ask<{ version: string }>({ version: true });
    let us = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PROBES; i++)
      us = Math.min(us, (await peer.ask<{ usPerCall: number }>(PROBE)).usPerCall);
    return { us, version };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  } finally {
    peer.close();
  }
}

/** One compute thread for each process. */
function peerEnvironment(coreType: string | undefined): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('OPENBLAS_'));
  return {
    ...Object.fromEntries(inherited),
    ...{ OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    ...(coreType === undefined ? {} : { OPENBLAS_CORETYPE: coreType }),
  };
}

/** PyTorch in one phrase. */
export function describePytorch({ version, coreType }: Pytorch): string {
  return `pytorch ${version}, OpenBLAS kernels ${coreType ?? 'of its own choice'}`;
}
