/*
 * Ops on images and volumes in PyTorch, which has channels before height and width.
 */
import type { Conv3dAttributes } from '../../../shared/graph/ops/conv3d.js';
import { permuted } from '../reordered.js';
import { type Sides, transposedSides, volumeSides, windowSides } from '../window-sides.js';
import { type Code, flag, type TorchOpWriter, tuple } from './network-writer.js';

type Pair = readonly [number, number];

export const conv2d: TorchOpWriter = (to, use) => {
  const { node, inputs } = use;
  const { kernelSize, strides, padding, dilation, groups } = node.attributes as ConvolutionAttributes;
  const kernel = to.needed(use, 'kernel');
  const bias = to.weight(use, 'bias');
  const settings = { window: kernelSize, strides, padding, dilation };
  const [y, x] = windowSides(node.name, node.inputShapes[0], settings);
  const isEven = y.before === y.after && x.before === x.after;
  const [, , channels = 0, filters = 0] = kernel.shape;
  const sizes = `stride=${tuple(strides)}, dilation=${tuple(dilation)}, groups=${groups}`;
  const layer = to.submodule(use, {
    code:
      `nn.Conv2d(${channels * groups}, ${filters}, ${tuple(kernelSize)}, ${sizes}, ` +
      `padding=${isEven ? tuple([y.before, x.before]) : '0'}, bias=${flag(bias !== undefined)})`,
    state: { weight: permuted(kernel, [3, 2, 0, 1]), bias },
  });
  const image = `channels_first(${inputs[0]})`;
  return to.line(`channels_last(${layer}(${isEven ? image : `F.pad(${image}, ${padding4(y, x)})`}))`);
};

export const conv3d: TorchOpWriter = (to, use) => {
  const { node, inputs } = use;
  const attributes = node.attributes as Conv3dAttributes;
  const { kernelSize, strides, dilation, groups = 1 } = attributes;
  const kernel = to.needed(use, 'kernel');
  const bias = to.weight(use, 'bias');
  const sides = volumeSides(node.name, node.inputShapes[0], attributes);
  const [, , , channels = 0, filters = 0] = kernel.shape;
  const layer = to.submodule(use, {
    code:
      `nn.Conv3d(${channels * groups}, ${filters}, ${tuple(kernelSize)}, stride=${tuple(strides)}, ` +
      `dilation=${tuple(dilation)}, groups=${groups}, bias=${flag(bias !== undefined)})`,
    state: { weight: permuted(kernel, [4, 3, 2, 0, 1]), bias },
  });
  const around = tuple([...sides].reverse().flatMap(({ before, after }) => [before, after]));
  const volume = `${inputs[0]}.permute(0, 4, 1, 2, 3)`;
  return to.line(`${layer}(F.pad(${volume}, ${around})).permute(0, 2, 3, 4, 1)`);
};

export const conv2dTranspose: TorchOpWriter = (to, use) => {
  const { node, inputs } = use;
  const { kernelSize, strides, padding, dilation } = node.attributes as ConvolutionAttributes;
  const kernel = to.needed(use, 'kernel');
  const bias = to.weight(use, 'bias');
  const settings = { window: kernelSize, strides, padding, dilation };
  const [y, x] = transposedSides(node.name, node.inputShapes[0], node.shape, settings);
  const [, , filters = 0, channels = 0] = kernel.shape;
  const layer = to.submodule(use, {
    code:
      `nn.ConvTranspose2d(${channels}, ${filters}, ${tuple(kernelSize)}, stride=${tuple(strides)}, ` +
      `dilation=${tuple(dilation)}, output_padding=${tuple([y.more, x.more])}, bias=${flag(bias !== undefined)})`,
    state: { weight: permuted(kernel, [3, 2, 0, 1]), bias },
  });
  const [height = 0, width = 0] = node.shape;
  const whole = to.line(`channels_last(${layer}(channels_first(${inputs[0]})))`);
  return to.line(`${whole}[:, ${y.before}:${y.before + height}, ${x.before}:${x.before + width}]`);
};

function pool(name: string): TorchOpWriter {
  return (to, { node, inputs }) => {
    const { poolSize, strides, padding } = node.attributes as {
      readonly poolSize: Pair;
      readonly strides: Pair;
      readonly padding: 'valid' | 'same';
    };
    const settings = { window: poolSize, strides, padding, dilation: [1, 1] } as const;
    const [y, x] = windowSides(node.name, node.inputShapes[0], settings);
    const image = `channels_first(${inputs[0]})`;
    return to.line(
      `channels_last(${name}(${image}, ${tuple(poolSize)}, ${tuple(strides)}, ${padding4(y, x)}))`,
    );
  };
}

export const maxPool = pool('max_pool');
export const averagePool = pool('average_pool');

interface ConvolutionAttributes {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly padding: 'valid' | 'same';
  readonly dilation: Pair;
  readonly groups: number;
}

/** The argument of F.pad: the last axis first. */
function padding4(y: Sides, x: Sides): Code {
  return tuple([x.before, x.after, y.before, y.after]);
}
