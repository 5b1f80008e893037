import { type Finding, findingAt, isTypeScript, type Source, walk } from './source.js';

/** How the program is called in a checkout alone. */
const IN_CHECKOUT = /\bnpm (start|run -s unisum)\b/;
/** Folders whose text a user of the package sees, less the one function that knows how the program is called. */
const SHOWN = /^(coordinator|relay|shared|simulation|trainer|web|worker|scripts\/(?!dev\/|setup))/;
const KNOWS = 'shared/command-line.ts';

/** Commands in texts that would fail where the program is an installed package. */
export function typedCommands(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const source of sources) {
    if (!isTypeScript(source) || !SHOWN.test(source.path) || source.path === KNOWS) continue;
    walk(source, (node) => {
      const text =
        node.type === 'Literal' ? node.value : node.type === 'TemplateElement' ? node.value : undefined;
      const shown = typeof text === 'string' ? text : (text as { cooked?: unknown } | undefined)?.cooked;
      if (typeof shown === 'string' && IN_CHECKOUT.test(shown))
        findings.push(
          findingAt(source, node, `this command fails in a package: use commandLine() of ${KNOWS}`),
        );
    });
  }
  return findings;
}
