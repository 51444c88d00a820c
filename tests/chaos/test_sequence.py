"""A broker that has lost a batch refuses the producer's next ones: another producer takes over."""

from pathlib import Path

import pytest
from aiokafka import TopicPartition

from deploy.local import parts
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import Outgoing

REASON = parts.available()["kafka"]
RECORD = Outgoing(READINGS, "k", b"[]", partition=0)


@pytest.mark.skipif(REASON is not None, reason=f"NO KAFKA: {REASON}")
async def test_a_gap_in_the_sequence_does_not_close_the_log_for_ever(tmp_path: Path) -> None:
    started = parts.start(tmp_path, database=False)
    log = await KafkaLog(started.kafka_bootstrap).open()
    try:
        first = (await log.publish([RECORD]))[0].offset
        assert log._producer is not None
        client = await log._producer.sound()
        # As after a batch that was numbered and never arrived: a disk was full, a broker died.
        client._txn_manager.increment_sequence_number(TopicPartition(READINGS, 0), 1)
        with pytest.raises(Unavailable, match="OutOfOrderSequence"):
            await log.publish([RECORD])
        again = [(await log.publish([RECORD]))[0].offset for _ in range(3)]
        assert again == [first + 1, first + 2, first + 3]
    finally:
        await log.close()
        started.stop()
