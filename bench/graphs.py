#!/usr/bin/env python3
"""bench/graphs.py FROM TO COMMAND

Templates (CSV files in the folder TO) of the workflows that lie in the folder FROM as WfFormat, the JSON of WfCommons' recorded runs of
scientific workflows: a job for each file, a node for each task, which does COMMAND, and its dependencies.
"""
import csv, json, os, sys


def files(folder):
    return sorted(os.path.join(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(".json"))


def tasks_of(name):
    """Of each task its name and its parents' names; of a file that is something else none."""
    with open(name, encoding="utf-8") as file:
        workflow = json.load(file).get("workflow", {})
    tasks = workflow.get("specification", workflow).get("tasks", [])
    return [(str(task.get("id", task["name"])), [str(parent) for parent in task.get("parents", [])]) for task in tasks]


def write(folder, name, header, rows):
    with open(os.path.join(folder, name), "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header] + rows)


def main(source, folder, command):
    jobs, nodes, deps = [], [], []
    for name in files(source):
        tasks = tasks_of(name)
        numbers = {task: len(nodes) + 1 + i for i, (task, _) in enumerate(tasks)}
        jobs += [[os.path.relpath(name, source)]] if tasks else []
        nodes += [[numbers[task], "N", os.path.relpath(name, source), task, command] for task in numbers]
        deps += [list(pair) for pair in sorted({(numbers[parent], numbers[task]) for task, parents in tasks for parent in parents})]
    write(folder, "tpl_jobs.csv", ["job_name"], jobs)
    write(folder, "tpl_nodes.csv", ["node_id", "node_type", "job_name", "node_name", "exec_command"], nodes)
    write(folder, "tpl_node_deps.csv", ["p_node_id", "c_node_id"], deps)


main(*sys.argv[1:])
