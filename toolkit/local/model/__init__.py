"""The model of the local target: a small OpenAI-compatible server, and a composer that plays the model.

The emulator's Bedrock forwards each model call to one address and puts a canned text of its own in place
of any answer that fails. So the server here (`server.py`) always answers, and says what went wrong behind
`toolkit.contracts.MODEL_ERROR_PREFIX`. A routes file, written by deploy, says what stands behind a profile:

    request ─▶ server ─┬▶ upstream.py     a real OpenAI-compatible endpoint (`tfkit up --llm URL`)
                       └▶ composer.py     the offline composer, which is no language model

The composer is a pure function from the message history to the next answer:

    transcript.py   messages → the prompt, the rounds since, the tool calls and their results
    turns.py        transcript → the next step: list, write, init, validate, mend, or a closing text
    prompt.py       prompt → wishes: which resources, with which names, numbers and switches
      bare.py         names that stand right behind their noun
      ignored.py      what nothing took up, and `substance.py` whether that is too much to go on
      spelling.py     which known word a misspelt one may be
      present.py      what exists already, by its id or because the prompt says so
      bystanders.py   who is asked for, and who is only spoken of as using it
      traffic.py      who may come in on which port
      guards.py       which security group guards what, and which groups its rules speak of
      serving.py      the groups of what serves from inside: caches, brokers, instances behind a balancer
      network.py      which subnets there are
    derive.py       options → the values that follow from them (with derive_data, derive_events, derive_web)
    compose.py      wishes → files, out of the recipes
      patience.py     how long a queue waits for the functions that read it
      house.py        the style of the files that are there, and new blocks in it
    follow.py       a follow-up: read together with the prompts before it; and goodbye
    details.py      what the closing text says of rules, subnets and permissions
    mend.py         findings → edits that are known to help, or nothing

`recipes/` holds one plain Terraform file per kind of resource, `recipes/links/` one per way in which two
kinds are wired together. `recipe.py` tells the format; adding a kind is adding a file.
"""
