//! A table whose names are told by the files of identities. Where they say nothing of it, nothing is
//! added to its plan.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use super::{Bound, SlotTable};
use crate::identity::{ResolveExec, Role, Shape};

impl SlotTable {
    /// The rows with names as the files of identities tell them.
    pub(super) async fn told(
        &self,
        bound: &Bound,
        session: &SessionState,
        shape: &'static Shape,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let by = &bound.identity.1;
        let role = |name: &str| shape.role(name, by);
        // What is asked of our names says nothing of the platforms', which the lake holds.
        let own = |f: &&Expr| f.column_refs().iter().all(|c| role(&c.name).is_none());
        let filters: Vec<Expr> = filters.iter().filter(own).cloned().collect();
        let wanted: Vec<usize> = match projection {
            Some(p) => p.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&wanted)?);
        let roles: Vec<Option<Role>> = schema.fields().iter().map(|f| role(f.name())).collect();
        let told: Vec<Role> = roles.iter().flatten().copied().collect();
        if told.is_empty() {
            return self.rows(bound, session, projection, &filters).await;
        }
        let mut read = wanted;
        for name in shape.needs(&told) {
            let at = self.schema.index_of(name)?;
            if !read.contains(&at) {
                read.push(at);
            }
        }
        let rows = self.rows(bound, session, Some(&read), &filters).await?;
        let by = by.clone();
        Ok(Arc::new(ResolveExec::new(
            rows,
            by,
            shape,
            roles.into(),
            schema,
        )))
    }
}
