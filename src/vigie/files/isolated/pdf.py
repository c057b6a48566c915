"""Sets a document as PDF. Runs alone, see isolation.

Its folder is all the typesetter can read: `main.typ`, `house.typ`, `data.json`. Reads {"standard",
"most_pages", "timestamp"} from its input; writes `document.pdf`; answers with its page count.
"""

import json
import os
import resource
import sys


def main() -> None:
    memory, seconds = int(sys.argv[1]) * 1_000_000, int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000_000, 100_000_000))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = json.load(sys.stdin)
    import typst

    here = os.getcwd()
    try:
        compiler = typst.Compiler(
            os.path.join(here, "main.typ"),
            root=here,
            ignore_system_fonts=True,
            package_path=os.path.join(here, "none"),
            package_cache_path=os.path.join(here, "none"),
        )
        body = compiler.compile(
            format="pdf", pdf_standards=request["standards"], timestamp=request["timestamp"]
        )
    except typst.TypstError as error:
        answer = {"error": "template_failed", "detail": str(error.diagnostic or error)[:2000]}
        print(json.dumps(answer))
        return
    assert isinstance(body, bytes)
    with open("document.pdf", "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    print(json.dumps({"result": {"bytes": len(body)}}))


if __name__ == "__main__":
    main()
