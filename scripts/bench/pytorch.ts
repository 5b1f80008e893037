import { UserError } from '../../shared/errors.js';
import { PeerProcess } from './peer-process.js';

/** Candidates for a Python with PyTorch: the first on the path, and that of Debian's packages. */
const PYTHONS = ['python3', '/usr/bin/python3'];
/**
 * Values of OPENBLAS_CORETYPE to try; undefined leaves the choice to OpenBLAS. It does not know processors newer than
 * itself and falls back to its slowest kernels, which were measured at a fifth of the speed of the best.
 */
const CORE_TYPES = [undefined, 'SKYLAKEX', 'HASWELL'];
const PROBE = { product: [512, 512, 512], transposed: 'none', seconds: 0.1 };
const PROBES = 3;
const MISSING =
  '--peer pytorch needs Python with PyTorch: on Debian apt install python3-torch libopenblas0, or leave --peer out';

/** PyTorch on this machine, with its fastest OpenBLAS kernels. */
export interface Pytorch {
  readonly version: string;
  /** Value of OPENBLAS_CORETYPE; undefined: OpenBLAS's own choice was fastest. */
  readonly coreType: string | undefined;
  /** Starts one of the programs in scripts/bench/peers. */
  start(program: string, args?: readonly string[]): PeerProcess;
}

/**
 * Finds PyTorch, and its fastest OpenBLAS kernels on this machine.
 * @throws UserError that says how to install it
 */
export async function findPytorch(): Promise<Pytorch> {
  for (const python of PYTHONS) {
    let best: { us: number; coreType: string | undefined; version: string } | undefined;
    for (const coreType of CORE_TYPES) {
      const probe = await probeCoreType(python, coreType);
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

/** Time of a product with these kernels; undefined when they, or PyTorch, do not run. */
async function probeCoreType(
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

/** Environment of a peer: one compute thread per process. */
function peerEnvironment(coreType: string | undefined): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('OPENBLAS_'));
  return {
    ...Object.fromEntries(inherited),
    ...{ OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    ...(coreType === undefined ? {} : { OPENBLAS_CORETYPE: coreType }),
  };
}

/** Version and kernels, as one phrase. */
export function describePytorch({ version, coreType }: Pytorch): string {
  return `pytorch ${version}, OpenBLAS kernels ${coreType ?? 'chosen by OpenBLAS'}`;
}
