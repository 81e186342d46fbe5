"""Topics as plant.yml writes them: `plant/{plant_name}/+/#`, where a level in braces has a name."""

import re

LEVEL = re.compile(r"\{([A-Za-z_]\w*)\}")
SHARED = re.compile(r"\$share/[^/+#]+/")


def topic_pattern(topic: str) -> re.Pattern:
    """`+` and a name in braces are one level, `#` at the end is all that follow, none included.

    Raises ValueError for what is no topic.
    """
    levels = SHARED.sub("", topic, count=1).split("/")
    names = [found[1] for level in levels if (found := LEVEL.fullmatch(level))]
    stray = [level for level in levels if len(level) > 1 and not LEVEL.fullmatch(level) and re.search("[+#{}]", level)]
    if stray or "#" in levels[:-1] or len(set(names)) < len(names) or topic.startswith("/$share") or not topic:
        raise ValueError(f"{topic!r}: expected a topic such as plant/{{plant_name}}/lane/+/#, each name once")
    parts = []
    for level in levels:
        found = LEVEL.fullmatch(level)
        parts.append(f"(?P<{found[1]}>[^/]*)" if found else "[^/]*" if level == "+" else re.escape(level))
    if levels[-1] == "#":
        return re.compile("/".join(parts[:-1]) + ("(?:/.*)?" if len(parts) > 1 else ".*"), re.DOTALL)
    return re.compile("/".join(parts))


def checked_topics(topics: list[str]) -> list[str]:
    """Raises ValueError for the first that is none."""
    for topic in topics:
        topic_pattern(topic)
    return topics


def topic_filter(topic: str) -> str:
    """What to subscribe to."""
    return "/".join("+" if LEVEL.fullmatch(level) else level for level in topic.split("/"))
