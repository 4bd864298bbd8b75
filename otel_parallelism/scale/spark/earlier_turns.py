"""Counts, in Spark, the earlier turns in which the tools of a finding ran at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.findings.descriptions import experience_sentence

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame  # type: ignore[import-not-found,unused-ignore]


def with_earlier_turns(findings: DataFrame, analysed: DataFrame) -> DataFrame:
    """
    Return *findings* with a sentence in their evidence about the earlier turns in which their calls overlapped.

    Any number of pairs of tools is remembered; an analysis in one process remembers the first 10,000.

    Args:
        findings: The columns ``place`` and ``number`` identify a finding, ``pairs`` are its pairs of tools, and ``row``
            is the rest.
        analysed: The analysed turns.
    """
    from pyspark.sql import Window, functions  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

    asked = findings.select("place", "number", functions.explode("pairs").alias("pair"))
    learned = analysed.select("place", functions.explode("overlapping").alias("pair")).join(
        asked.select("pair").distinct(), "pair", "left_semi"
    )
    none = functions.lit(None).cast("int")
    events = asked.withColumn("turns", functions.lit(0)).unionByName(
        learned.withColumn("number", none).withColumn("turns", functions.lit(1))
    )
    # A turn is counted after its own findings have been asked for.
    until = Window.partitionBy("pair").orderBy("place", "turns").rowsBetween(Window.unboundedPreceding, 0)
    counted = (
        events.withColumn("turns", functions.sum("turns").over(until))
        .where("number is not null")
        .groupBy("place", "number")
        .agg(functions.min("turns").alias("turns"))
        .where("turns > 0")
    )
    sentence = functions.array(_sentence(functions.col("turns")))
    evidence = functions.concat(
        "row.evidence", functions.when(functions.col("turns") > 0, sentence).otherwise(functions.array())
    )
    return findings.join(counted, ["place", "number"], "left").withColumn(
        "row", functions.col("row").withField("evidence", evidence)
    )


def _sentence(turns: Column) -> Column:
    from pyspark.sql import functions  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra

    before, after = experience_sentence(2).split("2")
    several = functions.concat(functions.lit(before), turns.cast("string"), functions.lit(after))
    return functions.when(turns == 1, functions.lit(experience_sentence(1))).otherwise(several)
