import { describeRedisStore, TARGETS } from '../support/targets.ts';

describeRedisStore(TARGETS.ioredisCluster);
