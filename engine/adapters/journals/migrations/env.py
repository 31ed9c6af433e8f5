"""What Alembic runs: the migrations, on the connection that `engine.adapters.journals.opening` hands over."""

from alembic import context

from engine.adapters.journals.schema import metadata


def migrate() -> None:
    """Run the migrations that Alembic asks for, all in the transaction of the connection."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if (
    __name__ == "env_py"
):  # the name under which Alembic loads this file; a plain import does nothing
    migrate()
