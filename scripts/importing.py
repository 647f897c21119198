"""What import-jil and import-airflow share: the folder of CSV files that josch.load_csv() reads, and the report of what was not carried over."""

import csv
import os
import sys

COLUMNS = {
    'environs': ['var', 'value'],
    'calendars': ['calendar_name', 'calendar_desc', 'weekdays', 'rule', 'of_calendar'],
    'calendar_parts': ['calendar_name', 'position', 'operation', 'part_name'],
    'semaphores': ['semaphore_name', 'capacity'],
    'tpl_jobs': ['job_name', 'job_desc', 'time_zone', 'calendar_name', 'schedule_at', 'paused', 'valid_from', 'valid_to', 'catch_up', 'max_running'],
    'tpl_nodes': ['node_id', 'node_type', 'job_name', 'node_name', 'exec_command', 'exec_sql', 'signoff_time', 'start_time', 'repeat_every', 'repeat_until', 'join_rule', 'success_codes',
                  'skip_codes', 'retries', 'retry_delay', 'retry_backoff', 'retry_max_delay', 'timeout', 'start_by', 'finish_by', 'max_duration', 'priority', 'wait_file', 'wait_interval'],
    'tpl_node_deps': ['p_node_id', 'p_date', 'c_node_id', 'c_date', 'condition'],
    'tpl_node_semaphores': ['node_id', 'semaphore_name', 'units'],
}


def give_up(path, why, line=None):
    """Nothing is written: of what cannot be read, nobody knows what is missing."""
    print(f'error: {path}{f":{line}" if line else ""}: {why}', file=sys.stderr)
    sys.exit(2)


def read_text(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except OSError as error:
        give_up(path, error.strerror)
    except UnicodeDecodeError as error:
        give_up(path, f'it is not in UTF-8: byte {error.start + 1}')


class Folder:
    """Rows on their way into CSV files; nodes are numbered from first_id on."""

    def __init__(self, first_id):
        self.rows = {table: [] for table in COLUMNS}
        self.next_id = first_id
        self.report = []

    def told(self, severity, source, message):
        if (severity, source, message) not in self.report:
            self.report.append((severity, source, message))

    def add(self, table, **row):
        row = {column: value for column, value in row.items() if value is not None}
        if row not in self.rows[table]:
            self.rows[table].append(row)
        return row

    def node(self, **row):
        """The number of a new node."""
        self.next_id += 1
        self.add('tpl_nodes', node_id=self.next_id - 1, node_type='N', **row)
        return self.next_id - 1

    def depends(self, child, parent, condition=None, days=None):
        if condition == 'success':
            condition = None
        self.add('tpl_node_deps', p_node_id=parent, p_date=days or 0, c_node_id=child, c_date=0, condition=condition)

    def calendar(self, name, weekdays=None, rule=None, description=None):
        self.add('calendars', calendar_name=name, calendar_desc=description, weekdays='{%s}' % ','.join(map(str, weekdays or [])), rule=rule)
        return name

    def write(self, directory):
        try:
            os.makedirs(directory, exist_ok=True)
            self.write_files(directory)
        except OSError as error:
            give_up(error.filename or directory, error.strerror)

    def write_files(self, directory):
        for table, columns in COLUMNS.items():
            used = [column for column in columns if column in columns[:2] or any(column in row for row in self.rows[table])]
            if table == 'tpl_nodes':
                used = [column for column in columns if column in used or column in ('job_name', 'node_name', 'exec_command')]
            elif table == 'tpl_node_deps':
                used = columns
            elif table == 'tpl_node_semaphores':
                used = columns
            elif table == 'calendar_parts':
                used = columns
            with open(os.path.join(directory, table + '.csv'), 'w', newline='', encoding='utf-8') as file:
                writer = csv.DictWriter(file, used, restval='', lineterminator='\n')
                writer.writeheader()
                writer.writerows(self.rows[table])

    def tell(self, file=sys.stdout):
        """A line each, like those of josch.import_crontab(); True when something was not carried over."""
        for severity, source, message in sorted(self.report, key=lambda told: ('error', 'warning', 'note').index(told[0])):
            print(f'{severity}: {source}: {message}', file=file)
        return any(severity == 'error' for severity, _, _ in self.report)


def clock(hours, minutes=0):
    return '%02d:%02d' % (hours, minutes)
