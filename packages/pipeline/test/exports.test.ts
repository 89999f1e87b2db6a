import * as pipeline from '@perennial/pipeline';
import { expect, it } from 'vitest';

it('exports these values, and no others', () => {
  expect(Object.keys(pipeline).toSorted()).toEqual([
    'CheckpointOverflow',
    'FirstPipeline',
    'Pipeline',
    'PipelineError',
    'StateNotRetained',
    'StreamingError',
    'StreamingErrorStrategy',
    'StreamingPipeline',
    'asyncGeneratorOf',
    'createStep',
    'createStreamingStep',
    'isStreamingError',
    'pipelineToStreaming',
    'positionedSource',
    'publishProgress',
    'publishRun',
    'stepToStreamingStep',
    'streamingStepToStep',
    'streamingToPipeline',
    'systemClock',
  ]);
});
