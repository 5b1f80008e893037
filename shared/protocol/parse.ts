import { checked } from './checked.js';
import type { CoordinatorToWorker, WorkerToCoordinator } from './messages.js';
import { CoordinatorToWorkerSchema, WorkerToCoordinatorSchema } from './schema.js';

/**
 * Validates a message of a coordinator.
 * @throws ProtocolError when it is malformed, or the coordinator has another protocol version
 */
export function parseCoordinatorMessage(value: unknown): CoordinatorToWorker {
  return checked(CoordinatorToWorkerSchema, value);
}

/**
 * Validates a message of a worker.
 * @throws ProtocolError when it is malformed, or the worker has another protocol version
 */
export function parseWorkerMessage(value: unknown): WorkerToCoordinator {
  return checked(WorkerToCoordinatorSchema, value);
}
